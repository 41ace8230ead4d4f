package main

// A workload is what the sides do, and on which processors.
type workload struct {
	name, title string
	work        string // what the sides call it
	metrics     []metric
	// places returns the processors of a side, given the two of the run.
	places func(cpus [2]int, side int) []int
	calm   bool // nothing runs at speed: it takes a second whatever the span
}

// A metric is one of the figures of a workload.
type metric struct {
	name, unit string
	less       bool // is better
	digits     int  // behind the point, to print
}

var (
	rate      = metric{name: "rate", unit: "M msg/s", digits: 2}
	bandwidth = metric{name: "bandwidth", unit: "GB/s", digits: 2}
	latencies = []metric{
		{name: "p50", unit: "ns", less: true}, {name: "p90", unit: "ns", less: true}, {name: "p99", unit: "ns", less: true},
	}
	curve = append(latencies[:3:3],
		metric{name: "p99.9", unit: "ns", less: true}, metric{name: "p99.99", unit: "ns", less: true}, metric{name: "max", unit: "ns", less: true})
	allocating = []metric{
		{name: "send allocations", unit: "per message", less: true, digits: 6},
		{name: "receive allocations", unit: "per message", less: true, digits: 6},
	}
)

// Processors: a side each; both sides on the first; all on both, as the
// scheduler likes.
func apart(cpus [2]int, side int) []int { return []int{cpus[min(side, 1)]} }
func same(cpus [2]int, _ int) []int     { return []int{cpus[0]} }
func both(cpus [2]int, _ int) []int     { return []int{cpus[0], cpus[1]} }

var (
	oneWay    = workload{name: "W1", title: "one way", work: "one way", metrics: append([]metric{rate, bandwidth}, allocating...), places: apart}
	inProcess = workload{name: "W1 in one process", title: "one way in one process", work: "one way", metrics: append([]metric{rate}, allocating...), places: both}
	traced    = workload{name: "W1 traced", title: "one way, system calls counted", work: "one way", places: apart, metrics: []metric{
		{name: "send calls", unit: "per message", less: true, digits: 6},
		{name: "receive calls", unit: "per message", less: true, digits: 6},
	}}
	roundTrip    = workload{name: "W2", title: "round trip", work: "round trip", metrics: latencies, places: apart}
	asleepSame   = workload{name: "W3 same CPU", title: "round trip, nobody spins, on one CPU", work: "round trip", metrics: latencies, places: same}
	asleepApart  = workload{name: "W3 two CPUs", title: "round trip, nobody spins, on two CPUs", work: "round trip", metrics: latencies, places: apart}
	oneToMany    = workload{name: "W4", title: "one to N", work: "one way", places: both, metrics: []metric{rate, {name: "published", unit: "M msg/s", digits: 2}, {name: "received", unit: "%", digits: 1}}}
	publishing   = workload{name: "W4 publish", title: "what a publish costs with N awake consumers", work: "publish", places: apart, metrics: []metric{{name: "publish", unit: "ns", less: true, digits: 1}}}
	idleness     = workload{name: "W5", title: "idle consumers", work: "idle", places: apart, calm: true, metrics: []metric{{name: "cpu", unit: "% of a CPU", less: true, digits: 3}}}
	pacedSlow    = workload{name: "W6 10k/s", title: "latency at 10 000 messages a second", work: "paced", metrics: curve, places: apart}
	pacedMedium  = workload{name: "W6 100k/s", title: "latency at 100 000 messages a second", work: "paced", metrics: curve, places: apart}
	pacedFast    = workload{name: "W6 1M/s", title: "latency at 1 000 000 messages a second", work: "paced", metrics: curve, places: apart}
	paceOf       = map[string]int{pacedSlow.name: 10_000, pacedMedium.name: 100_000, pacedFast.name: 1_000_000}
	paced        = []workload{pacedSlow, pacedMedium, pacedFast}
	messageSizes = []int{8, 32, 64, 1024, 65536}
	audiences    = []int{1, 2, 4, 8, 16}
)

package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

const unpinned = -1

// host is what the figures were measured on, as -json has it.
type host struct {
	CPU        string   `json:"cpu"`
	CPUs       int      `json:"cpus"`
	OS         string   `json:"os"`
	Kernel     string   `json:"kernel"`
	Go         string   `json:"go"`
	Compiler   string   `json:"compiler"`
	Placement  string   `json:"placement"`
	LoadBefore string   `json:"load_before"`
	LoadAfter  string   `json:"load_after"`
	Others     float64  `json:"others_cpu_percent"` // of all processors, meanwhile
	Probe      probed   `json:"cache_line_round_trip_ns"`
	Moved      []string `json:"moved"` // where the processors moved and a round was marked
	Rounds     int      `json:"rounds"`
	SpanMs     int64    `json:"span_ms"`
}

// probed is what the probes between the measurements found.
type probed struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func readHost(s settings, rounds int) host {
	h := host{
		CPU: field("/proc/cpuinfo", "model name"), CPUs: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH,
		Kernel: firstLine("/proc/sys/kernel/osrelease"), Go: runtime.Version(), LoadBefore: load(),
		Placement: "not pinned", Moved: []string{}, Rounds: rounds, SpanMs: s.span.Milliseconds(),
	}
	if s.pinned() {
		h.Placement = fmt.Sprintf("CPUs %d and %d", s.cpus[0], s.cpus[1])
	}
	return h
}

// finish adds what is known at the end of a run.
func (h *host) finish(results []result, probes []float64, before usage) {
	h.LoadAfter, h.Others = load(), before.others()
	if len(probes) > 0 {
		h.Probe.Min, h.Probe.Median, h.Probe.Max = spread(probes)
	}
	for _, r := range results {
		if r.marked > 0 {
			h.Moved = append(h.Moved, r.String())
		}
	}
}

func (h host) String() string {
	about := []string{}
	for _, s := range []string{h.CPU, fmt.Sprintf("%d CPUs", h.CPUs), h.OS, h.Kernel, h.Go, h.Compiler, h.Placement} {
		if s != "" {
			about = append(about, s)
		}
	}
	return strings.Join(about, ", ")
}

// parseCPUs reads "A,B", or chooses when there is nothing to read.
func parseCPUs(text string, allowed []int) (cpus [2]int, err error) {
	if text == "" {
		if len(allowed) < 2 {
			return [2]int{unpinned, unpinned}, nil
		}
		return [2]int{allowed[0], allowed[1]}, nil
	}
	a, b, ok := strings.Cut(text, ",")
	for i, s := range []string{a, b} {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || n < 0 || !ok {
			return cpus, fmt.Errorf("-cpus %q: wanted two numbers, such as 0,1", text)
		}
		cpus[i] = n
	}
	if allowed == nil {
		return cpus, fmt.Errorf("-cpus: pinning on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	return cpus, nil
}

// load is the average of runnable processes over the last minute, as text.
func load() string {
	average, _, _ := strings.Cut(firstLine("/proc/loadavg"), " ")
	if average == "" {
		return "unknown"
	}
	return average
}

func firstLine(file string) string {
	b, _ := os.ReadFile(file)
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(line)
}

// field returns the first value of a key in a file of lines "key : value".
func field(file, key string) string {
	b, _ := os.ReadFile(file)
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

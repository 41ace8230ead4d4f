package side

import (
	"io"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/carousel-ipc/carousel/internal/monotonic"
)

// The round trip: one message at a time there and back. The end of one is the
// beginning of the next, so that each holds one look at the clock, whose cost
// is taken off.

const (
	longest = time.Minute
	least   = 100 // round trips, however long they take
)

func ping(e End, j Job) (o Outcome, err error) {
	h := hdrhistogram.New(1, int64(longest), 3)
	cost := clockCost()
	start := monotonic.Now()
	warm := start + int64(j.Span/8)
	for end := warm + int64(j.Span); start < end || h.TotalCount() < least; o.Messages++ {
		if err := e.Send(o.Messages, o.Messages+1); err != nil {
			return o, err
		}
		if _, err := e.Receive(o.Messages, o.Messages+1); err != nil {
			return o, err
		}
		now := monotonic.Now()
		if start >= warm {
			h.RecordValue(clamp(now - start - cost))
		}
		start = now
	}
	percentiles(&o, h)
	return o, e.Close()
}

func echo(e End, _ Job) (o Outcome, err error) {
	for ; ; o.Messages++ {
		if _, err := e.Receive(o.Messages, o.Messages+1); err == io.EOF {
			return o, nil
		} else if err != nil {
			return o, err
		}
		if err := e.Send(o.Messages, o.Messages+1); err != nil {
			return o, err
		}
	}
}

// clamp keeps a value within what the histograms take.
func clamp(v int64) int64 { return min(max(v, 1), int64(longest)) }

// Percentiles are the metrics of a latency, with the share of messages that
// took no longer.
var Percentiles = []struct {
	Name  string
	Share float64
}{
	{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}, {"p99.99", 99.99}, {"max", 100},
}

func percentiles(o *Outcome, h *hdrhistogram.Histogram) {
	for _, p := range Percentiles {
		o.set(p.Name, float64(h.ValueAtQuantile(p.Share)))
	}
}

// clockCost is how long a look at the clock takes: in a virtual machine that
// is a good part of a round trip.
func clockCost() int64 {
	runs := make([]int64, 101)
	for i := range runs {
		start := monotonic.Now()
		for range 16 {
			monotonic.Now()
		}
		runs[i] = (monotonic.Now() - start) / 17
	}
	slices.Sort(runs)
	return runs[len(runs)/2]
}

package main

import (
	"io"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/carousel-ipc/carousel/internal/monotonic"
)

var roundTrip = workload{
	name: "W2", title: "round trip",
	metrics: []metric{
		{name: "p50", unit: "ns", less: true},
		{name: "p99", unit: "ns", less: true},
	},
	sides: [2]func(end, time.Duration) (outcome, error){ping, echo},
}

const longest = time.Minute

func ping(e end, span time.Duration) (o outcome, err error) {
	h := hdrhistogram.New(1, int64(longest), 3)
	clock := clockCost()
	warm := monotonic.Now() + int64(span/8)
	for start := int64(0); start < warm+int64(span); o.Messages++ {
		start = monotonic.Now()
		if err := e.send(o.Messages, o.Messages+1); err != nil {
			return o, err
		}
		if _, err := e.receive(o.Messages, o.Messages+1); err != nil {
			return o, err
		}
		elapsed := monotonic.Now() - start
		if start < warm {
			continue
		}
		if err := h.RecordValue(max(elapsed-clock, 1)); err != nil {
			return o, err
		}
	}
	o.Values = map[string]float64{
		"p50": float64(h.ValueAtQuantile(50)),
		"p99": float64(h.ValueAtQuantile(99)),
	}
	return o, e.close()
}

// clockCost is what the clock says that nothing takes: in a virtual machine
// that is a good part of a round trip.
func clockCost() int64 {
	empty := make([]int64, 1001)
	for i := range empty {
		start := monotonic.Now()
		empty[i] = monotonic.Now() - start
	}
	slices.Sort(empty)
	return empty[len(empty)/2]
}

func echo(e end, _ time.Duration) (o outcome, err error) {
	for ; ; o.Messages++ {
		if _, err := e.receive(o.Messages, o.Messages+1); err == io.EOF {
			return o, nil
		} else if err != nil {
			return o, err
		}
		if err := e.send(o.Messages, o.Messages+1); err != nil {
			return o, err
		}
	}
}

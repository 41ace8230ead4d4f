package main

import (
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
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
	for p := (pace{span: span + span/8}); p.on(); o.Messages++ {
		start := time.Now()
		if err := e.send(o.Messages, o.Messages+1); err != nil {
			return o, err
		}
		if _, err := e.receive(o.Messages, o.Messages+1); err != nil {
			return o, err
		}
		elapsed := time.Since(start)
		if time.Since(p.start) > span/8 { // warm
			if err := h.RecordValue(int64(elapsed)); err != nil {
				return o, err
			}
		}
	}
	o.Values = map[string]float64{
		"p50": float64(h.ValueAtQuantile(50)),
		"p99": float64(h.ValueAtQuantile(99)),
	}
	return o, e.close()
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

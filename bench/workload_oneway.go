package main

import (
	"fmt"
	"io"
	"math"
	"time"
)

var oneWay = workload{
	name: "W1", title: "one way",
	metrics: []metric{{name: "rate", unit: "M msg/s", digits: 2}},
	sides:   [2]func(end, time.Duration) (outcome, error){stream, drain},
}

const (
	warmup = 1 << 14 // messages before the receiver looks at its clock
	stride = 1 << 10 // messages between two looks of the sender
)

func stream(e end, span time.Duration) (o outcome, err error) {
	if err := e.send(0, warmup); err != nil {
		return o, err
	}
	o.Messages = warmup
	for start := time.Now(); time.Since(start) < span; o.Messages += stride {
		if err := e.send(o.Messages, o.Messages+stride); err != nil {
			return o, err
		}
	}
	return o, e.close()
}

func drain(e end, _ time.Duration) (o outcome, err error) {
	if _, err := e.receive(0, warmup); err != nil {
		return o, err
	}
	start := time.Now()
	o.Messages, err = e.receive(warmup, math.MaxUint64)
	elapsed := time.Since(start)
	if err != io.EOF {
		return o, fmt.Errorf("after %d messages: %w", o.Messages, err)
	}
	o.Values = map[string]float64{"rate": float64(o.Messages-warmup) / elapsed.Seconds() / 1e6}
	return o, nil
}

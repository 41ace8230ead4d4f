package main

import (
	"fmt"
	"math"
)

// goals is what the ring is to reach, in figures of one run.
func goals() (all []goal) {
	at := func(w workload, c contestant, size, batch, consumers int, m string) reading {
		return reading{entry{workload: w, contestant: c, size: size, batch: batch, consumers: consumers}, m}
	}
	add := func(name string, b bound, want float64, figure func([]float64) float64, needs ...reading) {
		all = append(all, goal{name, b, want, needs, figure})
	}
	one := func(w workload, c contestant, m string) reading { return at(w, c, small, 1, 1, m) }
	larger := func(m []float64) float64 { return max(m[0], m[1]) }
	// The runtime allocates now and then, whatever the program does.
	beyondRuntime := func(m []float64) float64 { return math.Floor(larger(m)*1e4) / 1e4 }
	byBest := func(m []float64) float64 { return m[0] / max(m[1], m[2]) }

	lines := one(roundTrip, twoLines, "p50")
	add("C ring, W2 64 B p50 / two-line limit", atMost, 1.05, ratio, one(roundTrip, ringInC, "p50"), lines)
	add("C ring, W1 64 B, records per two-line round trip", atLeast, 20,
		func(m []float64) float64 { return m[0] * m[1] / 1e3 }, one(oneWay, ringInC, "rate"), lines)
	add("C ring, W2 64 B p50 / one-line limit", shown, 0, ratio, one(roundTrip, ringInC, "p50"), one(roundTrip, oneLine, "p50"))

	add("W2 64 B p50, zero-copy / two-line limit", atMost, 1.20, ratio, one(roundTrip, spinning, "p50"), lines)
	add("W2 64 B p50, Write and Read / two-line limit", atMost, 1.20, ratio, one(roundTrip, spunCopy, "p50"), lines)
	for _, c := range []contestant{viewed, copied, iterated} {
		add(fmt.Sprintf("W1 64 B, publish each, %s / C ring", apiName(c)), atLeast, 0.9, ratio, one(oneWay, c, "rate"), one(oneWay, ringInC, "rate"))
	}
	add("W1 8 B, batches of 32 / C ring", atLeast, 0.9, ratio, at(oneWay, batched, 8, batches, 1, "rate"), at(oneWay, ringInC, 8, batches, 1, "rate"))
	add("W1 64 KiB, zero-copy / reading dirty lines", atLeast, 0.85, ratio, at(oneWay, viewed, 65536, 1, 1, "bandwidth"), at(oneWay, dirty, block, 1, 1, "bandwidth"))
	for _, w := range []struct {
		workload
		want float64
	}{{asleepSame, 1.25}, {asleepApart, 1.05}} {
		add(w.name+", zero-copy / futexes in C", atMost, w.want, ratio, one(w.workload, blocking, "p50"), one(w.workload, futexes, "p50"))
		add(w.name+", Write and Read / futexes in C", atMost, w.want, ratio, one(w.workload, blockCopy, "p50"), one(w.workload, futexes, "p50"))
	}
	for _, n := range audiences {
		add(fmt.Sprintf("W4 N = %d / C broadcast ring", n), atLeast, 1.0, ratio,
			at(oneToMany, batched, small, batches, n, "rate"), at(oneToMany, broadcastInC, small, batches, n, "rate"))
	}
	add("W1 64 B / best of pipe and Unix socket", atLeast, 50, byBest,
		one(oneWay, viewed, "rate"), one(oneWay, pipe(), "rate"), one(oneWay, unixStream(), "rate"))
	add("W1 64 B / ZeroMQ", atLeast, 15, ratio, one(oneWay, viewed, "rate"), one(oneWay, zeroMQ, "rate"))
	add("W2 64 B p50, adaptive / flipcall", atMost, 1.0, ratio, one(roundTrip, viewed, "p50"), one(roundTrip, flipcall, "p50"))
	add("a publish of 32, 16 awake consumers / 1", below, 1.10, ratio,
		at(publishing, yielding, small, batches, 16, "publish"), at(publishing, yielding, small, batches, 1, "publish"))
	add("a publish of one, 16 awake consumers / 1", shown, 0, ratio,
		at(publishing, yielding, small, 1, 16, "publish"), at(publishing, yielding, small, 1, 1, "publish"))
	for _, c := range []contestant{viewed, copied, iterated} {
		add("system calls a message, "+apiName(c), below, 0.001, larger, one(traced, c, "send calls"), one(traced, c, "receive calls"))
	}
	add("system calls a message, "+apiName(batched), below, 0.001, larger,
		at(traced, batched, small, batches, 1, "send calls"), at(traced, batched, small, batches, 1, "receive calls"))
	for _, c := range []contestant{viewed, copied, iterated} {
		add("allocations a message, "+apiName(c), equal, 0, beyondRuntime, one(oneWay, c, "send allocations"), one(oneWay, c, "receive allocations"))
	}
	add("allocations a message, "+apiName(batched), equal, 0, beyondRuntime,
		at(oneWay, batched, small, batches, 1, "send allocations"), at(oneWay, batched, small, batches, 1, "receive allocations"))
	add("in one process, 64 B / Go channel", atLeast, 5, ratio, one(inProcess, heapRing(), "rate"), one(inProcess, channel(), "rate"))
	add("in one process, 64 B / xsync's SPSC queue", atLeast, 1.0, ratio, one(inProcess, heapRing(), "rate"), one(inProcess, xsyncQueue, "rate"))
	return all
}

// apiName is how the goals call what a contestant does.
func apiName(c contestant) string {
	switch c.Name {
	case copied.Name:
		return "Write and Read"
	case iterated.Name:
		return "Reserve, Commit and Records"
	case batched.Name:
		return "ReserveBatch and NextBatch"
	}
	return "zero-copy"
}

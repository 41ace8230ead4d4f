package main

import "github.com/carousel-ipc/carousel/ring"

// An entry is a contestant in a workload.
type entry struct {
	workload
	contestant
}

// program is everything that is measured, in the order of a round.
var program = []entry{
	{oneWay, ringOf("ring, publish each", ring.Adaptive, func(e *ringEnd) end { return ringViews{e, 1} })},
	{oneWay, ringOf("ring, batches of 32", ring.Adaptive, func(e *ringEnd) end { return ringViews{e, 32} })},
	{oneWay, ringOf("ring, Write and Read", ring.Adaptive, func(e *ringEnd) end { return ringCopy{e} })},
	{oneWay, pipe()},
	{oneWay, unixSocket()},
	{roundTrip, ringOf("ring, spin", ring.Spin, func(e *ringEnd) end { return ringViews{e, 1} })},
	{roundTrip, ringOf("ring, spin, Write and Read", ring.Spin, func(e *ringEnd) end { return ringCopy{e} })},
	{roundTrip, pipe()},
	{roundTrip, unixSocket()},
}

func (e entry) String() string { return e.workload.name + " " + e.contestant.name }

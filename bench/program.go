package main

import (
	"fmt"

	"github.com/carousel-ipc/carousel/ring"
)

// An entry is a contestant in a workload.
type entry struct {
	workload
	contestant
	size, batch, consumers int
	quick                  bool // measured with -quick, too
}

// String is what -only matches.
func (e entry) String() string {
	text := fmt.Sprintf("%s %s, %d B", e.workload.name, e.label(), e.size)
	if e.consumers > 1 {
		text += fmt.Sprintf(", %d consumers", e.consumers)
	}
	return text
}

// label is the contestant with its batch.
func (e entry) label() string {
	if e.batch > 1 {
		return fmt.Sprintf("%s, batches of %d", e.contestant.Name, e.batch)
	}
	return e.contestant.Name
}

const (
	small   = 64
	block   = 512 << 10 // fits the caches nearest to a processor
	batches = 32
)

// The ring in what it is measured in most.
var (
	viewed    = named.contestant("", ring.Adaptive, ring.Reliable, views)
	copied    = named.contestant(", Write and Read", ring.Adaptive, ring.Reliable, copies)
	batched   = named.contestant(", Batch", ring.Adaptive, ring.Reliable, together)
	iterated  = named.contestant(", Records", ring.Adaptive, ring.Reliable, records)
	spinning  = named.contestant(", spin", ring.Spin, ring.Reliable, views)
	spunCopy  = named.contestant(", spin, Write and Read", ring.Spin, ring.Reliable, copies)
	yielding  = named.contestant(", yield", ring.Yield, ring.Reliable, views)
	blocking  = named.contestant(", block", ring.Block, ring.Reliable, views)
	blockCopy = named.contestant(", block, Write and Read", ring.Block, ring.Reliable, copies)
	lossily   = named.contestant(", lossy", ring.Adaptive, ring.Lossy, lossy)
	sealed    = memfd.contestant("", ring.Adaptive, ring.Reliable, views)
	sealedFor = toAnother(memfd.contestant(", "+otherUser, ring.Adaptive, ring.Reliable, views))
	sealSpin  = memfd.contestant(", spin", ring.Spin, ring.Reliable, views)
)

// again is the same contestant once more: how far the two lie apart is how far
// apart two figures that are equal may lie.
func again(c contestant) contestant {
	c.about += "; the same once more, to show what a difference of nothing looks like"
	c.Name += " (again)"
	return c
}

func toAnother(c contestant) contestant {
	c.uid = nobody
	return c
}

// program is everything that is measured, in the order of a round.
func program() (p []entry) {
	add := func(w workload, size, batch, consumers int, quick bool, contestants ...contestant) {
		for _, c := range contestants {
			p = append(p, entry{w, c, size, batch, consumers, quick})
		}
	}
	for _, size := range messageSizes {
		quick := size == small
		add(oneWay, size, 1, 1, quick, ringInC, viewed, copied)
		add(oneWay, size, batches, 1, quick, ringInC, viewed, batched)
		add(oneWay, size, 1, 1, false, iterated)
		add(oneWay, size, 1, 1, quick, pipe(), unixStream())
		add(oneWay, size, 1, 1, false, fifo(), seqpacket(), tcp())
		if size <= 8192 { // what the kernel allows in a queue by default
			add(oneWay, size, 1, 1, false, messageQueue())
		}
	}
	add(oneWay, small, 1, 1, false, again(viewed), sealed, sealedFor, spinning, yielding, blocking)
	add(oneWay, block, 1, 1, true, dirty)
	add(oneWay, 65536, 1, 1, false, dirty)
	add(oneWay, 65536, 1, 1, true, copying)
	add(inProcess, small, 1, 1, true, heapRing(), channel())
	add(inProcess, small, batches, 1, false, heapRing())
	add(traced, small, 1, 1, false, viewed, copied, iterated)
	add(traced, small, batches, 1, false, batched)
	add(roundTrip, small, 1, 1, true, oneLine, twoLines, ringInC, spinning, spunCopy, viewed)
	add(roundTrip, small, 1, 1, false, oneWord, again(spinning), sealSpin, yielding)
	add(roundTrip, small, 1, 1, false, pipe(), fifo(), unixStream(), seqpacket(), tcp(), messageQueue())
	for _, w := range []workload{asleepSame, asleepApart} {
		add(w, small, 1, 1, true, futexes, blocking, pipe(), unixStream())
		add(w, small, 1, 1, false, blockCopy, fifo(), seqpacket(), tcp(), messageQueue())
	}
	for _, n := range audiences {
		add(oneToMany, small, batches, n, n == 1 || n == 4, broadcastInC, viewed, batched, lossily)
	}
	for _, n := range []int{1, 16} {
		add(publishing, small, batches, n, false, yielding)
		add(publishing, small, 1, n, false, yielding)
	}
	add(idleness, small, 1, 1, true, blocking)
	add(idleness, small, 1, 1, false, viewed, pipe(), unixStream())
	add(idleness, small, 1, 64, false, viewed, blocking)
	for _, w := range paced {
		quick := w.name == pacedMedium.name
		add(w, small, 1, 1, quick, viewed, pipe(), unixStream())
		add(w, small, 1, 1, false, copied, spinning)
	}
	for _, m := range media() {
		p = append(p, m.entries()...)
	}
	return p
}

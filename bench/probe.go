package main

import (
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/carousel-ipc/carousel/bench/internal/side"
	"github.com/carousel-ipc/carousel/internal/monotonic"
)

// The probe tells whether the two processors still lie as far apart as they
// did: a host may move virtual ones at any moment, and then two placements are
// compared instead of two programs.

const (
	probeTrips = 2000
	probeBound = 100 * time.Millisecond // where somebody else is on a processor
	moved      = 1.3
)

// A bouncer is a cache line of its own that goes to and fro.
type bouncer struct {
	_    [128]byte
	word atomic.Uint32
	_    [124]byte
	stop atomic.Bool
}

// probe is the median of the round trips of a cache line between the processors
// in nanoseconds; 0 when it found none.
func probe(cpus [2]int) float64 {
	if cpus[0] == unpinned || cpus[0] == cpus[1] {
		return 0
	}
	var b bouncer
	back := make(chan struct{})
	go func() {
		defer close(back)
		// Never unlocked: a thread that was pinned is of no more use.
		runtime.LockOSThread()
		if side.PinThread(cpus[1]) != nil {
			return
		}
		for want := uint32(1); !b.stop.Load(); {
			if b.word.Load() == want {
				b.word.Store(want + 1)
				want += 2
			}
		}
	}()
	found := make(chan float64)
	go func() {
		runtime.LockOSThread()
		found <- b.bounce(cpus[0])
	}()
	median := <-found
	<-back
	return median
}

func (b *bouncer) bounce(cpu int) float64 {
	defer b.stop.Store(true)
	if side.PinThread(cpu) != nil {
		return 0
	}
	const each = 16 // round trips between two looks at the clock
	var trips []int64
	begin := monotonic.Now()
	for n := uint32(0); len(trips) < probeTrips/each; {
		start := monotonic.Now()
		for range each {
			b.word.Store(n + 1)
			for n += 2; b.word.Load() != n; {
				if monotonic.Now()-begin > int64(probeBound) {
					return middle(trips) / each
				}
			}
		}
		trips = append(trips, monotonic.Now()-start)
	}
	return middle(trips) / each
}

func middle(values []int64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return float64(values[len(values)/2])
}

// hasMoved reports whether two probes say that the processors lie differently.
func hasMoved(a, b float64) bool { return a > 0 && b > 0 && max(a, b) > moved*min(a, b) }

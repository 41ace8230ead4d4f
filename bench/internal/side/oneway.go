package side

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/carousel-ipc/carousel/internal/monotonic"
)

// The one-way work: as fast as it goes for the whole span.

func stream(e End, j Job) (o Outcome, err error) {
	o.Messages = warmup(j.Size)
	if err := e.Send(0, o.Messages); err != nil {
		return o, err
	}
	before := allocations()
	step, start := stride(j.Size), monotonic.Now()
	for ; monotonic.Now()-start < int64(j.Span); o.Messages += step {
		if err := e.Send(o.Messages, o.Messages+step); err != nil {
			return o, err
		}
	}
	elapsed := time.Duration(monotonic.Now() - start)
	sent := o.Messages - warmup(j.Size)
	o.set("send allocations", float64(allocations()-before)/float64(sent))
	o.set("published", perMicrosecond(sent, elapsed))
	return o, e.Close()
}

func drain(e End, j Job) (o Outcome, err error) {
	first := warmup(j.Size)
	if first, err = e.Receive(0, first); err != nil {
		return o, fmt.Errorf("after %d messages: %w", first, err)
	}
	before, lost := allocations(), lostBy(e)
	start := monotonic.Now()
	o.Messages, err = e.Receive(first, math.MaxUint64)
	elapsed := time.Duration(monotonic.Now() - start)
	if err != io.EOF {
		return o, fmt.Errorf("after %d messages: %w", o.Messages, err)
	}
	passed := o.Messages - first
	got := passed - (lostBy(e) - lost)
	o.set("receive allocations", float64(allocations()-before)/float64(max(got, 1)))
	o.set("rate", perMicrosecond(got, elapsed))
	o.set("received", 100*float64(got)/float64(max(passed, 1)))
	return o, nil
}

// A loser is an End that may miss messages: it steps over them and counts.
type loser interface{ Lost() uint64 }

func lostBy(e End) uint64 {
	if l, ok := e.(loser); ok {
		return l.Lost()
	}
	return 0
}

func perMicrosecond(n uint64, d time.Duration) float64 {
	return float64(n) / float64(max(d, 1)) * 1e3
}

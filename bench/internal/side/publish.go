package side

import (
	"errors"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/carousel-ipc/carousel/internal/monotonic"
)

// The publish work: what it costs to publish, with nobody in the way. Before
// each burst the sender waits until everybody has everything; the burst fits
// into what is then free, so that it never waits for credit.

const burst = 1 << 12

// A drainer is an End that can wait until everybody has everything.
type drainer interface{ Drain() error }

func bursts(e End, j Job) (o Outcome, err error) {
	d, ok := e.(drainer)
	if !ok {
		return o, errors.New("the publish work: wanted a contestant that can drain")
	}
	o.Messages = warmup(j.Size)
	if err := e.Send(0, o.Messages); err != nil {
		return o, err
	}
	h := hdrhistogram.New(1, int64(longest), 3)
	cost := clockCost()
	publishes := int64(burst / j.Batch)
	for end := monotonic.Now() + int64(j.Span); monotonic.Now() < end; o.Messages += burst {
		if err := d.Drain(); err != nil {
			return o, err
		}
		start := monotonic.Now()
		if err := e.Send(o.Messages, o.Messages+burst); err != nil {
			return o, err
		}
		// In picoseconds a message of a publish of one is worth three digits.
		h.RecordValue(clamp((monotonic.Now() - start - cost) * int64(time.Microsecond/time.Nanosecond) / publishes))
	}
	o.set("publish", float64(h.ValueAtQuantile(50))/1e3)
	return o, e.Close()
}

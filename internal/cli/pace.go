package cli

import (
	"context"
	"time"
)

// A pace says how many records are due. After a stop it makes up for what was
// not published meanwhile.
type pace struct {
	start time.Time
	rate  float64 // records per second, 0: all are due at once
}

func newPace(rate float64) *pace { return &pace{start: time.Now(), rate: rate} }

// due is how many of count records are due by now. The first is due at once.
func (p *pace) due(count uint64) uint64 {
	if p.rate == 0 {
		return count
	}
	n := time.Since(p.start).Seconds()*p.rate + 1
	if n >= float64(count) {
		return count
	}
	return uint64(n)
}

// wait waits until one more than n records are due, or ctx ends.
func (p *pace) wait(ctx context.Context, n uint64) error {
	at := time.Duration(float64(n) / p.rate * float64(time.Second))
	t := time.NewTimer(at - time.Since(p.start))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

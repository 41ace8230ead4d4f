package transport

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// awaitLook is how often await looks.
const awaitLook = 5 * time.Millisecond

// await looks, at least once, until there is something to read or ctx ends.
// passing tells whether another look, after so long, may find better.
func await(ctx context.Context, t target, try func() (Consumer, error), passing func(error, time.Duration) bool) (Consumer, error) {
	start := time.Now()
	ticker := time.NewTicker(awaitLook)
	defer ticker.Stop()
	for {
		c, err := try()
		if err == nil {
			return c, nil
		}
		if !passing(err, time.Since(start)) {
			return nil, fmt.Errorf("%s: %w", t.url, err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, nothingToRead(t, time.Since(start), ctx.Err(), err)
		}
	}
}

func nothingToRead(t target, waited time.Duration, ended, last error) error {
	return fmt.Errorf("%w at %s: waited %v for a producer that lives (%w); last look: %w",
		ErrNoProducer, t.url, waited.Round(time.Millisecond), ended, last)
}

// reading is what consumers of media without rings have in common: who they are
// and what they have seen.
type reading struct {
	name           string
	policy         Policy
	types          []uint16
	wait           Wait
	received, lost uint64
}

func newReading(cfg ConsumerConfig) reading {
	r := reading{name: cfg.Name, policy: cfg.Policy, types: cfg.Types, wait: cfg.Wait}
	if r.name == "" {
		r.name = program()
	}
	return r
}

// program is the name of this one and its pid.
func program() string { return fmt.Sprintf("%s %d", filepath.Base(os.Args[0]), os.Getpid()) }

// wanted tells whether a record is one to be shown.
func (r *reading) wanted(typ uint16) bool {
	return len(r.types) == 0 || slices.Contains(r.types, typ)
}

func (r *reading) stats(next uint64) ConsumerStats {
	return ConsumerStats{Name: r.name, Policy: r.policy, Alive: true, Sequence: next, Received: r.received, Lost: r.lost}
}

package transport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// patiently looks, at least once, until there is something to read or ctx
// ends.
func patiently(ctx context.Context, url string, look func() (Consumer, error)) (Consumer, error) {
	start := time.Now()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		c, err := look()
		if err == nil {
			return c, nil
		}
		if !mayPass(err) {
			return nil, fmt.Errorf("%s: %w", url, err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, noProducer(ctx, url, start, err)
		}
	}
}

// noProducer is the error of a consumer that has looked in vain.
func noProducer(ctx context.Context, url string, start time.Time, last error) error {
	return fmt.Errorf("%w at %s: waited %v for a producer that lives (%w); last look: %w",
		ErrNoProducer, url, time.Since(start).Round(time.Millisecond), ctx.Err(), last)
}

// mayPass tells whether another look at a stream may find better.
func mayPass(err error) bool {
	for _, passing := range []error{errNotYet, errSilent, fs.ErrNotExist, ErrRemoved, ErrProducerDied, syscall.EAGAIN} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return refused(err) || severed(err)
}

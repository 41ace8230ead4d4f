package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/carousel-ipc/carousel/ring"
)

// follow prints events until the service ends. It may hold the service up for
// a tenth of a second, not longer.
func follow(ctx context.Context, events string, out io.Writer) (err error) {
	r, err := ring.Dial(ctx, events)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	c, err := r.NewConsumer(ring.ConsumerConfig{Policy: ring.Deadline(100 * time.Millisecond)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()

	for rec, err := range c.Records(ctx) {
		switch {
		case errors.Is(err, context.Canceled):
			return nil
		case err != nil: // ErrEvicted: too slow; ErrProducerDied: killed
			return err
		}
		fmt.Fprintf(out, "%d %s\n", rec.Sequence, rec.Payload())
	}
	return nil
}

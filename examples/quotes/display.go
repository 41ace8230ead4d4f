package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/carousel-ipc/carousel/transport"
)

// display shows the newest quote now and then. It is lossy: the publisher never
// waits for it, and what it missed is counted exactly.
func display(ctx context.Context, o options, out io.Writer) (err error) {
	c, err := transport.Open(ctx, o.url, transport.ConsumerConfig{Name: "display", Policy: transport.Lossy})
	if err != nil {
		return ended(err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()

	ticker := time.NewTicker(o.every)
	defer ticker.Stop()
	var seen, lost uint64
	var newest quote
	for {
		n, missed, err := drain(c, &newest)
		seen, lost = seen+n, lost+missed
		if n > 0 {
			fmt.Fprintf(out, "display: %v, %d missed so far\n", newest, lost)
		}
		switch {
		case errors.Is(err, io.EOF):
			fmt.Fprintf(out, "display: %d quotes, %d missed\n", seen, lost)
			return nil
		case errors.Is(err, transport.ErrProducerDied):
			if err := c.WaitProducer(ctx); err != nil {
				return ended(err)
			}
		case !errors.Is(err, transport.ErrEmpty):
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// drain takes all that is there now. The error tells why there is no more.
func drain(c transport.Consumer, newest *quote) (seen, lost uint64, err error) {
	for {
		rec, err := c.TryNext()
		var q quote
		var wrong error
		if err == nil {
			// A copy first: only Release says whether the view was whole.
			q, wrong = readQuote(rec.Payload())
			err = c.Release()
		}
		var overrun *transport.OverrunError
		switch {
		case errors.As(err, &overrun):
			lost += overrun.Lost
		case err != nil:
			return seen, lost, err
		case wrong != nil:
			return seen, lost, wrong
		default:
			*newest = q
			seen++
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/carousel-ipc/carousel/transport"
)

// book keeps the last price of every instrument. It is reliable: when it is a
// lap behind the publisher waits.
func book(ctx context.Context, o options, out io.Writer) (err error) {
	c, err := transport.Open(ctx, o.url, transport.ConsumerConfig{Name: "book", Policy: transport.Reliable})
	if err != nil {
		return ended(err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()

	var prices [instruments]uint64
	var quotes, gaps, publishers, epoch uint64
	expected := c.Sequence()
	for {
		rec, err := c.Next(ctx)
		switch {
		case errors.Is(err, transport.ErrProducerDied):
			// Everything that it committed has been returned. Wait for the next.
			fmt.Fprintln(out, "book: the publisher died")
			if err := c.WaitProducer(ctx); err != nil {
				return ended(err)
			}
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintf(out, "book: %d quotes of %d publishers, %d missing\n", quotes, publishers, gaps)
			return nil
		case err != nil:
			return ended(err)
		}
		q, err := readQuote(rec.Payload())
		if err != nil {
			return err
		}
		prices[q.instrument] = q.price
		gaps += rec.Sequence - expected
		expected = rec.Sequence + 1
		quotes++
		if e := c.Epoch(); e != epoch {
			epoch, publishers = e, publishers+1
		}
		// A release for each tick rather than for each quote.
		if rec.Sequence%instruments == 0 {
			if err := c.Release(); err != nil {
				return err
			}
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/carousel-ipc/carousel/transport"
)

// publish sends a quote of every instrument with each tick. A tick is a batch:
// nobody sees a part of it.
func publish(ctx context.Context, o options, out io.Writer) (err error) {
	// Makes the ring, or goes on where a publisher that was killed left off.
	p, err := transport.Create(o.url, transport.ProducerConfig{Capacity: 1 << 16, Label: "quotes"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if err := p.WaitConsumers(ctx, o.consumers); err != nil {
		return err
	}
	fmt.Fprintf(out, "publishing from quote %d\n", p.Sequence())

	ticker := time.NewTicker(o.every)
	defer ticker.Stop()
	for tick := 0; o.ticks == 0 || tick < o.ticks; tick++ {
		for i := range uint64(instruments) {
			b, err := p.Reserve(ctx, transport.Header{}, quoteSize)
			if err != nil {
				return ended(err)
			}
			quote{i, 10000 + p.Sequence()*7%100}.put(b) // written where it will be read
		}
		if err := p.Commit(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}

	// The book should have everything before the name of the ring goes.
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return p.Drain(ctx)
}

// ended is nil if the user has ended the program.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/carousel-ipc/carousel/ring"
)

// child counts the lines with its pattern, in place.
func child(ctx context.Context, pattern string, place *os.File, out io.Writer) (err error) {
	r, err := ring.Inherit(ctx, place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	c, err := r.NewConsumer(ring.ConsumerConfig{Name: pattern, Policy: ring.Reliable})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()

	count := 0
	for rec, err := range c.Records(ctx) {
		if err != nil {
			return err // ErrProducerDied, if the parent was killed
		}
		if bytes.Contains(rec.Payload(), []byte(pattern)) {
			count++
		}
	}
	_, err = fmt.Fprintf(out, "%s: %d lines\n", pattern, count)
	return err
}

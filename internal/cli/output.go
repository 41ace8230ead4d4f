package cli

import (
	"context"
	"io"
	"time"
)

// output writes buffers to standard output in a goroutine of its own, so that
// reading the ring and writing overlap, and a reader that stalls cannot keep a
// signal from ending the command.
type output struct {
	full chan []byte
	free chan []byte
	done chan struct{} // closed when the goroutine has ended
	err  error         // what ended it; valid after done
}

const outputSize = 128 << 10 // of a buffer, in bytes; a large record makes it grow

func newOutput(w io.Writer) *output {
	o := &output{full: make(chan []byte, 1), free: make(chan []byte, 3), done: make(chan struct{})}
	for range 2 {
		o.free <- make([]byte, 0, outputSize)
	}
	go func() {
		defer close(o.done)
		for b := range o.full {
			if _, o.err = w.Write(b); o.err != nil {
				return
			}
			o.free <- b
		}
	}()
	return o
}

// buffer returns an empty buffer to fill, when there is one.
func (o *output) buffer(ctx context.Context) ([]byte, error) {
	select {
	case b := <-o.free:
		return b[:0], nil
	default:
	}
	select {
	case b := <-o.free:
		return b[:0], nil
	case <-o.done:
		return nil, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// write hands b over; b belongs to the output from then on.
func (o *output) write(ctx context.Context, b []byte) error {
	select {
	case o.full <- b:
		return nil
	case <-o.done:
		return o.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// grace is how long what was handed over may take to be written after ctx has
// ended.
const grace = time.Second

// close waits until everything is written; when ctx ends not much longer. It
// returns the error of writing, if any.
func (o *output) close(ctx context.Context) error {
	close(o.full)
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-o.done:
		return o.err
	case <-t.C:
		return ctx.Err()
	}
}

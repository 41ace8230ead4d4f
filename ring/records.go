package ring

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"

	"github.com/carousel-ipc/carousel/frame"
)

// Records iterates over the records until the end of the stream. A record's
// payload is valid until the loop asks for the next one, and whole whatever
// the policy: reliable consumers see it in place, others a copy.
//
// An *OverrunError or a record with a wrong checksum (ErrCorrupt) comes with a
// zero Record, and the loop goes on behind it. Every other error ends the
// loop after it was handed over; io.EOF ends it without.
func (c *Consumer) Records(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if c.policy.kind != kindReliable {
			c.copies(ctx, yield)
			return
		}
		defer func() { _ = c.Release() }()
		for {
			seq, off, m, err := c.step(ctx)
			if err != nil {
				if errors.Is(err, io.EOF) || !yield(Record{}, err) || !goesOn(err) {
					return
				}
				continue
			}
			if !yield(frame.View(seq, m, c.payload(off, m)), nil) {
				return
			}
		}
	}
}

// copies is Records for those who may be lapped or evicted at any moment.
func (c *Consumer) copies(ctx context.Context, yield func(Record, error) bool) {
	var buf []byte
	for {
		rec, err := c.Read(ctx, buf)
		if errors.Is(err, io.EOF) || !yield(rec, err) || err != nil && !goesOn(err) {
			return
		}
		if err == nil {
			buf = rec.Payload()
		}
	}
}

// goesOn tells whether a consumer can be used after an error.
func goesOn(err error) bool {
	return errors.Is(err, ErrOverrun) || errors.Is(err, ErrCorrupt) && errors.Is(err, errOneRecord)
}

// errOneRecord marks an ErrCorrupt that concerns a single record.
var errOneRecord = errors.New("the next record may be good")

// step is next for the iterator: the record before was used. It is given back
// with others, at the end of a run, or when enough of the ring has gathered,
// or as soon as the producer waits.
func (c *Consumer) step(ctx context.Context) (seq, off uint64, m frame.Meta, err error) {
	if !c.enter() {
		return 0, 0, 0, os.ErrClosed
	}
	if c.viewed = 0; c.pos-c.cursor >= c.capacity/64 || load64(c.word(offWakeAt)) != 0 {
		c.store()
	}
	if off, m = c.take(); off == 0 {
		off, m, err = c.next(ctx, m, true)
	}
	if err == nil {
		c.viewed++
		seq = c.seq - 1
	}
	c.leave()
	return seq, off, m, err
}

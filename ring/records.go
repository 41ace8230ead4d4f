package ring

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
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
		step := c.step
		if c.policy.kind != kindReliable {
			var buf []byte
			step = func(ctx context.Context) (Record, error) {
				rec, err := c.Read(ctx, buf)
				if err == nil {
					buf = rec.Payload
				}
				return rec, err
			}
		} else {
			defer func() { _ = c.Release() }()
		}
		for {
			rec, err := step(ctx)
			switch {
			case errors.Is(err, io.EOF):
				return
			case !yield(rec, err):
				return
			case err != nil && !goesOn(err):
				return
			}
		}
	}
}

// goesOn tells whether a consumer can be used after an error.
func goesOn(err error) bool {
	return errors.Is(err, ErrOverrun) || errors.Is(err, ErrCorrupt) && errors.Is(err, errOneRecord)
}

// errOneRecord marks an ErrCorrupt that concerns a single record.
var errOneRecord = errors.New("the next record may be good")

// step is Next for the iterator: the record before was used. It is given back
// with others, at the end of a run, or when enough of the ring has gathered,
// or as soon as the producer waits.
func (c *Consumer) step(ctx context.Context) (Record, error) {
	if !c.enter() {
		return Record{}, os.ErrClosed
	}
	if c.viewed = 0; c.pos-c.cursor >= c.capacity/64 || load64(c.word(offWakeAt)) != 0 {
		c.store()
	}
	rec, err := c.next(ctx, true)
	if err == nil {
		c.viewed++
	}
	c.leave()
	return rec, err
}

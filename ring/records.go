package ring

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/carousel-ipc/carousel/frame"
)

// Records iterates over the records until the end of the stream. A record's
// payload is valid until the loop asks for the next one, and whole whatever
// the policy: reliable consumers see it in place, others a copy.
//
// An *OverrunError or a record with a wrong checksum (ErrCorrupt) comes with a
// zero Record, and the loop goes on behind it. Every other error ends the
// loop after it was handed over; io.EOF ends it without. After either end
// Records may be called again: behind ErrProducerDied or io.EOF once
// WaitProducer has returned nil, and then with the next record.
func (c *Consumer) Records(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if c.policy.kind != kindReliable {
			c.copies(ctx, yield)
			return
		}
		defer func() { _ = c.Release() }()
		for {
			m, more := c.plainRecords(yield)
			if !more {
				return
			}
			seq, off, m, err := c.step(ctx, m)
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

// plainRecords hands over what take would, for as long as there is such a
// record, and keeps its place in local variables meanwhile: position, length,
// next position is then all that has to wait for each other. The fields are
// stored all the same, for what the loop's body calls. m is the header of what
// take would not, if one is there. false: the body has enough.
func (c *Consumer) plainRecords(yield func(Record, error) bool) (m frame.Meta, more bool) {
	pos, seq, capacity, most := c.pos, c.seq, c.capacity, uint64(c.maxPayload)
	usual, stride := frame.Meta(0), uint64(frame.HeaderSize)
	for c.plain && c.enter() {
		c.viewed = 0
		if pos-c.cursor >= capacity/64 || load64(c.word(offWakeAt)) != 0 {
			c.store()
		}
		if load64(c.commitWord(pos)) != seq {
			c.leave()
			break
		}
		m := frame.Meta(load64(c.metaWord(pos))) // once (row 2)
		off := pos & (capacity - 1)
		n := uint64(uint32(m))
		begin, end := off+frame.HeaderSize, off+frame.HeaderSize+n
		if m != usual || off+stride > capacity {
			if m&odd != 0 || n > most || end > capacity {
				c.leave()
				return m, true
			}
			usual, stride = m, (end-off+frame.Align-1)&^(frame.Align-1)
		}
		rec := frame.View(seq, m, c.ring[begin:end:end])
		pos, seq = pos+stride, seq+1
		c.pos, c.seq, c.viewed = pos, seq, 1
		c.leave()
		if !yield(rec, nil) {
			return 0, false
		}
		if c.pos != pos || c.seq != seq { // the body has used the consumer itself
			pos, seq = c.pos, c.seq
		}
	}
	return 0, true
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
func (c *Consumer) step(ctx context.Context, seen frame.Meta) (seq, off uint64, m frame.Meta, err error) {
	if !c.enter() {
		return c.stepAgain(ctx, seen)
	}
	if c.viewed = 0; c.pos-c.cursor >= c.capacity/64 || load64(c.word(offWakeAt)) != 0 {
		c.store()
	}
	if m = seen; m == 0 {
		off, m = c.take()
	}
	if off == 0 {
		off, m, err = c.next(ctx, m, true)
	}
	if err == nil {
		c.viewed++
		seq = c.seq - 1
	}
	c.leave()
	return seq, off, m, err
}

// stepAgain stands apart so that step's results need no memory.
func (c *Consumer) stepAgain(ctx context.Context, seen frame.Meta) (seq, off uint64, m frame.Meta, err error) {
	err = guarded(&c.section, func() error { seq, off, m, err = c.step(ctx, seen); return err })
	return seq, off, m, err
}

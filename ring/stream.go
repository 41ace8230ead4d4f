package ring

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/carousel-ipc/carousel/frame"
)

// ReadChain is Read of a whole message: the record, or all records of a chain
// (Header.More), joined in dst[:0]. What it returns has the sequence of the
// first and the type of all. A consumer that begins in the middle of a chain
// skips the rest of it; a chain that was cut, by a loss or by its producer's
// death, is dropped and told as ErrBrokenChain, together with the *OverrunError
// if it was that.
func (c *Consumer) ReadChain(ctx context.Context, dst []byte) (Record, error) {
	for {
		rec, err := c.Read(ctx, dst)
		if err != nil {
			return Record{}, err
		}
		if rec.Flags()&frame.Cont != 0 {
			dst = rec.Payload()
			continue // of a chain whose beginning is not ours
		}
		whole, b := rec, rec.Payload()
		for rec.Flags()&frame.More != 0 {
			if next, err := c.peekContinues(ctx); err != nil {
				if errors.Is(err, ErrOverrun) || errors.Is(err, ErrProducerDied) || errors.Is(err, io.EOF) {
					err = fmt.Errorf("%w: after %d bytes of record %d: %w", ErrBrokenChain, len(b), whole.Sequence, err)
				}
				return Record{}, err
			} else if !next {
				return Record{}, fmt.Errorf("%w: after %d bytes of record %d another record begins", ErrBrokenChain, len(b), whole.Sequence)
			}
			n := len(b)
			if n > frame.MaxPayload-c.maxPayload {
				return Record{}, fmt.Errorf("%w: a chain of more than %d bytes at record %d, want at most %d", ErrTooLarge, n, rec.Sequence, frame.MaxPayload)
			}
			if rec, err = c.Read(ctx, slices.Grow(b, c.maxPayload)[n:]); err != nil {
				return Record{}, fmt.Errorf("%w: after %d bytes of record %d: %w", ErrBrokenChain, n, whole.Sequence, err)
			}
			b = append(b[:n], rec.Payload()...)
		}
		return frame.NewRecord(whole.Sequence, whole.Type(), whole.Flags()&^(frame.More|frame.CRC), b), nil
	}
}

// peekContinues waits for the next record and tells whether it continues a
// chain, without taking it.
func (c *Consumer) peekContinues(ctx context.Context) (bool, error) {
	rec, err := c.Next(ctx)
	if err != nil {
		return false, err
	}
	continues := rec.Flags()&frame.Cont != 0
	c.unread(rec)
	return continues, nil
}

// unread takes back the view of the last record returned by Next.
func (c *Consumer) unread(rec Record) {
	if !c.enter() {
		_ = guarded(&c.section, func() error { c.unread(rec); return nil })
		return
	}
	c.pos -= uint64(rec.Meta.Size())
	c.seq--
	c.viewed--
	c.leave()
}

// A Stream reads the payloads of a consumer's records as one stream of bytes.
// The bytes are whole whatever the policy; a loss is an error, after which the
// stream goes on behind it.
type Stream struct {
	ctx  context.Context
	c    *Consumer
	buf  []byte
	rest []byte // of buf, not yet read
}

// Stream returns a reader of everything from here on. ctx bounds its waits.
func (c *Consumer) Stream(ctx context.Context) *Stream { return &Stream{ctx: ctx, c: c} }

// Read implements io.Reader. It returns what one record still holds, and
// waits for the next one only when it has nothing.
func (s *Stream) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for len(s.rest) == 0 {
		rec, err := s.c.Read(s.ctx, s.buf)
		if err != nil {
			return 0, err
		}
		s.buf, s.rest = rec.Payload(), rec.Payload()
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// WriteTo implements io.WriterTo: one Write for each record, from where it
// lies if the consumer is reliable, until the end of the stream.
func (s *Stream) WriteTo(w io.Writer) (written int64, err error) {
	n, err := w.Write(s.rest)
	if written = int64(n); err != nil {
		s.rest = s.rest[n:]
		return written, err
	}
	s.rest = nil
	for rec, err := range s.c.Records(s.ctx) {
		if err != nil {
			return written, err
		}
		n, err := w.Write(rec.Payload())
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

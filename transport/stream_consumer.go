package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/carousel-ipc/carousel/frame"
)

// A streamConsumer reads frames from a stream: a pipe, or a socket at whose
// other end a server gives this consumer a place on its ring.
//
// Records are viewed where they were read to. Sequences find every gap.
type streamConsumer struct {
	wire *wire
	in   window
	cfg  ConsumerConfig
	end  streamEnd

	next     uint64 // sequence that comes next
	first    uint64 // of the first record to be shown; those before are skipped
	epoch    uint64
	bytes    uint64 // of frames behind the preamble that have been viewed
	released ack    // what was given back

	received, lost uint64
	viewed         uint64 // records received and not released
	ended          bool
	pending        error // to be told by the next call
	err            error // final
	closed         atomic.Bool
}

// A streamEnd is what differs between streams.
type streamEnd struct {
	max     int    // largest payload
	most    uint64 // bytes that may be viewed and not released
	acks    *acks  // nil: nobody wants to hear of releases
	notices bool   // fillers carry messages of the server
	unique  bool   // no other producer will ever come this way
	close   func() error
}

// newStreamConsumer reads the preamble, which ctx bounds.
func newStreamConsumer(ctx context.Context, w *wire, cfg ConsumerConfig, end streamEnd) (*streamConsumer, error) {
	c := &streamConsumer{wire: w, cfg: cfg, end: end}
	for len(c.in.unread()) < frame.PreambleSize {
		if err := c.fill(ctx, frame.PreambleSize); err != nil {
			if _, perr := frame.DecodePreamble(c.in.unread()); errors.Is(perr, frame.ErrMagic) {
				return nil, perr
			}
			return nil, err
		}
	}
	p, err := frame.DecodePreamble(c.in.unread())
	if err != nil {
		return nil, err
	}
	c.in.skip(frame.PreambleSize)
	if p.First == 0 {
		return nil, fmt.Errorf("%w: preamble: wanted a first sequence from 1, found 0", frame.ErrMalformed)
	}
	c.epoch, c.next, c.released.sequence = p.Epoch, p.First, p.First
	if from, ok := cfg.From.Number(); ok {
		c.first = from
		if from < p.First {
			c.lose(from, p.First)
		}
	}
	return c, nil
}

// lose notes that the records from and on, before to, will not come.
func (c *streamConsumer) lose(from, to uint64) {
	c.lost += to - from
	c.pending = &OverrunError{Lost: to - from, From: from, To: to - 1}
}

func (c *streamConsumer) Next(ctx context.Context) (Record, error) {
	for {
		rec, want, err := c.take()
		if want == 0 {
			return rec, err
		}
		if err := c.fill(ctx, want); err != nil {
			return Record{}, err
		}
	}
}

func (c *streamConsumer) TryNext() (Record, error) { return c.Next(never) }

// take returns the next record if all of it has been read; else how many bytes
// it wants.
func (c *streamConsumer) take() (rec Record, want int, err error) {
	for {
		switch {
		case c.closed.Load():
			return Record{}, 0, os.ErrClosed
		case c.pending != nil:
			err, c.pending = c.pending, nil
			return Record{}, 0, err
		case c.err != nil:
			return Record{}, 0, c.err
		}
		b := c.in.unread()
		if len(b) < frame.HeaderSize {
			return Record{}, frame.HeaderSize, nil
		}
		_, m, err := frame.Peek(b, c.end.max)
		if err != nil {
			return Record{}, 0, c.corrupt(err)
		}
		n := m.Size()
		if len(b) < n {
			return Record{}, n, nil
		}
		rec, _, err := frame.Decode(b, c.end.max)
		if err != nil {
			return Record{}, 0, c.damaged(n, err)
		}
		if shown, err := c.accept(rec, n); shown || err != nil {
			return rec, 0, err
		}
	}
}

// accept decides about a frame of n bytes: whether it is a record to be shown.
func (c *streamConsumer) accept(rec Record, n int) (shown bool, err error) {
	if rec.Flags()&frame.Pad != 0 {
		c.in.skip(n)
		if c.end.notices {
			c.err = readNotice(rec.Payload())
		}
		return false, nil
	}
	if rec.Sequence != c.next {
		if rec.Sequence < c.next {
			return false, c.corrupt(fmt.Errorf("wanted record %d, found %d again", c.next, rec.Sequence))
		}
		if from := max(c.next, c.first); from < rec.Sequence {
			c.lose(from, rec.Sequence)
		}
		c.next = rec.Sequence
		return false, nil // the loss is told first, and the frame comes again
	}
	if rec.Flags()&frame.EOS != 0 {
		c.in.skip(n)
		c.epoch, c.ended, c.err = binary.LittleEndian.Uint64(rec.Payload()), true, io.EOF
		c.end.acks.finish()
		hangUp(c.wire.conn)
		return false, nil
	}
	c.next++
	c.bytes += uint64(n)
	if rec.Sequence < c.first {
		c.pass(n)
		return false, nil
	}
	c.viewed++
	if len(c.cfg.Types) > 0 && !slices.Contains(c.cfg.Types, rec.Type()) {
		c.pass(n)
		return false, nil
	}
	c.in.view(n)
	return true, nil
}

// pass leaves a record behind that nobody sees.
func (c *streamConsumer) pass(n int) {
	c.in.skip(n)
	if !c.in.held {
		c.give()
	}
}

// damaged is a frame of n bytes whose header is in order and the rest is not.
// A wrong checksum concerns one record.
func (c *streamConsumer) damaged(n int, err error) error {
	sum, ok := errors.AsType[*frame.ChecksumError](err)
	if !ok || sum.Sequence != c.next {
		return c.corrupt(err)
	}
	c.next++
	c.bytes += uint64(n)
	c.pass(n)
	return fmt.Errorf("%w: record %d: %w", ErrCorrupt, sum.Sequence, err)
}

func (c *streamConsumer) corrupt(err error) error {
	c.err = fmt.Errorf("%w: record %d: %w", ErrCorrupt, c.next, err)
	return c.err
}

// suspicion is how long nothing comes to a consumer that views so much that the
// producer may be waiting for it, before it is told.
const suspicion = time.Second

// fill reads once, when want bytes have to come together. The error is what
// Next returns.
func (c *streamConsumer) fill(ctx context.Context, want int) error {
	room, bound := c.in.room(want), ctx
	if ctx != never && c.in.held && c.end.most > 0 && c.bytes-c.released.bytes > c.end.most {
		var cancel context.CancelFunc
		bound, cancel = context.WithTimeout(ctx, suspicion)
		defer cancel()
	}
	n, err := c.wire.get(bound, room)
	c.in.filled(n)
	if bound != ctx && n == 0 && err == bound.Err() && ctx.Err() == nil {
		return ErrUnreleased
	}
	switch {
	case n > 0:
		return nil // an error comes again
	case err == errNothing:
		return ErrEmpty
	case c.closed.Load():
		return os.ErrClosed
	case ctx != never && err == ctx.Err():
		return err
	}
	return c.died(err)
}

// died is the end of a stream that was not ended.
func (c *streamConsumer) died(err error) error {
	if err == io.EOF || severed(err) || errors.Is(err, net.ErrClosed) {
		if rest := len(c.in.unread()); rest > 0 {
			c.err = fmt.Errorf("%w within record %d, of which %d bytes came", ErrProducerDied, c.next, rest)
		} else {
			c.err = ErrProducerDied
		}
		return c.err
	}
	c.err = fmt.Errorf("%w: reading record %d: %w", ErrProducerDied, c.next, err)
	return c.err
}

func (c *streamConsumer) Release() error {
	if c.closed.Load() {
		return os.ErrClosed
	}
	c.give()
	return nil
}

func (c *streamConsumer) give() {
	c.in.release()
	c.received += c.viewed
	c.viewed, c.released = 0, ack{sequence: c.next, bytes: c.bytes}
	c.end.acks.released(c.released)
}

func (c *streamConsumer) WaitProducer(context.Context) error {
	switch {
	case c.closed.Load():
		return os.ErrClosed
	case c.end.unique && c.err != nil:
		return c.err
	}
	return ErrRemoved
}

func (c *streamConsumer) Sequence() uint64 { return max(c.next, c.first) }
func (c *streamConsumer) Epoch() uint64    { return c.epoch }

func (c *streamConsumer) Stats() ConsumerStats {
	return ConsumerStats{
		Name: c.cfg.Name, Policy: c.cfg.Policy, Alive: true, Evicted: errors.Is(c.err, ErrEvicted),
		Cursor: c.released.bytes, Sequence: c.released.sequence, Received: c.received, Lost: c.lost, Waits: c.wire.rest,
	}
}

func (c *streamConsumer) Close() error {
	if c.closed.Swap(true) {
		return os.ErrClosed
	}
	c.end.acks.finish()
	err := c.wire.Close()
	if c.end.close != nil {
		err = errors.Join(err, c.end.close())
	}
	return err
}

var _ Consumer = (*streamConsumer)(nil)

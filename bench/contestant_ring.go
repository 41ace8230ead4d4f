package main

import (
	"context"
	"errors"
	"io"

	"github.com/carousel-ipc/carousel/ring"
)

// ringOf is a contestant of two rings, one for each direction, used by one of
// their APIs.
func ringOf(name string, wait ring.Wait, api func(*ringEnd) end) contestant {
	return contestant{
		name: name,
		lay:  layRings,
		join: func(j job) (end, error) {
			e, err := joinRings(j, wait)
			if err != nil {
				return nil, err
			}
			return api(e), nil
		},
	}
}

// The rings are named after the side that sends on them.
func ringName(link string, side int) string { return link + "-" + string(rune('0'+side)) }

func layRings(l *link) error {
	for side := range 2 {
		name := ringName(l.name, side)
		r, err := ring.Create(name, ring.Config{})
		if err != nil {
			return err
		}
		l.undo = append(l.undo, func() error { return ring.Remove(name) })
		if err := r.Close(); err != nil {
			return err
		}
	}
	return nil
}

// ringEnd is a producer on one ring and a consumer on the other.
type ringEnd struct {
	out *ring.Producer
	in  *ring.Consumer
}

var forever = context.Background()

func joinRings(j job, wait ring.Wait) (*ringEnd, error) {
	mine, err := openRing(ringName(j.Link, j.Side))
	if err != nil {
		return nil, err
	}
	defer mine.Close()
	others, err := openRing(ringName(j.Link, 1-j.Side))
	if err != nil {
		return nil, err
	}
	defer others.Close()
	var e ringEnd
	if e.out, err = mine.NewProducer(ring.ProducerConfig{Wait: wait}); err != nil {
		return nil, err
	}
	if e.in, err = others.NewConsumer(ring.ConsumerConfig{Wait: wait, From: ring.Oldest}); err != nil {
		return nil, err
	}
	// A ring drops what nobody is there to receive.
	return &e, e.out.WaitConsumers(forever, 1)
}

// openRing opens a ring that exists. Create does it, because it takes options.
func openRing(name string) (*ring.Ring, error) {
	return ring.Create(name, ring.Config{Prefault: true})
}

// close leaves the consumer: it ends with the process, and what is still to
// come to it is nobody's concern.
func (e *ringEnd) close() error { return e.out.Close() }

// received passes on the end of the stream as such.
func received(n uint64, err error) (uint64, error) {
	if errors.Is(err, io.EOF) {
		err = io.EOF
	}
	return n, err
}

// ringViews fills and views messages where they lie, and commits and releases
// so many at a time.
type ringViews struct {
	*ringEnd
	batch uint64
}

func (e ringViews) send(from, to uint64) error {
	for n := from; n < to; {
		for stop := min(n+e.batch, to); n < stop; n++ {
			b, err := e.out.Reserve(forever, messageSize)
			if err != nil {
				return err
			}
			fill(b, n)
		}
		if err := e.out.Commit(); err != nil {
			return err
		}
	}
	return nil
}

func (e ringViews) receive(from, to uint64) (uint64, error) {
	for n := from; n < to; {
		for stop := min(n+e.batch, to); n < stop; n++ {
			rec, err := e.in.Next(forever)
			if err != nil {
				return received(n, err)
			}
			if !holds(rec.Payload(), n) {
				return n, errWrong(n)
			}
		}
		if err := e.in.Release(); err != nil {
			return n, err
		}
	}
	return to, nil
}

// ringCopy writes and reads copies.
type ringCopy struct{ *ringEnd }

func (e ringCopy) send(from, to uint64) error {
	var b [messageSize]byte
	for n := from; n < to; n++ {
		fill(b[:], n)
		if _, err := e.out.Write(b[:]); err != nil {
			return err
		}
	}
	return nil
}

func (e ringCopy) receive(from, to uint64) (uint64, error) {
	var b [messageSize]byte
	for n := from; n < to; n++ {
		rec, err := e.in.Read(forever, b[:])
		if err != nil {
			return received(n, err)
		}
		if !holds(rec.Payload(), n) {
			return n, errWrong(n)
		}
	}
	return to, nil
}

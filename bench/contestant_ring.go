package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/carousel-ipc/carousel/bench/internal/side"
	"github.com/carousel-ipc/carousel/ring"
)

// An api is one of the ways to use a ring.
type api func(ringEnd) side.End

// A place is where a ring lives.
type place struct {
	name, about string
	lay         func(*link, side.Job) error
	// mine makes, or finds, the ring on which side i sends; others finds it for
	// the rest.
	mine, others func(j side.Job, i int) (*ring.Ring, error)
}

var (
	named = place{"", "a named ring in shared memory", layNamed, openNamed, openNamed}
	memfd = place{", memfd", "a served ring in sealed memory", nil, listen, dial}
)

func (p place) contestant(suffix string, wait ring.Wait, policy ring.Policy, a api) contestant {
	return contestant{
		Contestant: side.Contestant{
			Name: "ring" + p.name + suffix,
			Join: func(j side.Job) (side.End, error) {
				e, err := p.join(j, wait, policy)
				if err != nil {
					return nil, err
				}
				return a(e), nil
			},
		},
		about: fmt.Sprintf("%s, waits: %v, consumers: %v", p.about, wait, policy), kind: ours, lay: p.lay,
	}
}

// heapRing is both sides in one process.
func heapRing() contestant {
	return contestant{
		Contestant: side.Contestant{Name: "ring, in one process", Loose: true, Pair: pairRings},
		about:      "memory of the process, two goroutines, adaptive", kind: ours,
	}
}

func pairRings(j side.Job) (ends [2]side.End, err error) {
	j.Consumers = 1
	var rings [2]*ring.Ring
	for i := range rings {
		if rings[i], err = ring.Anonymous(config(j)); err != nil {
			return ends, err
		}
	}
	for i := range ends {
		e := ringEnd{size: j.Size, batch: uint64(j.Batch), lost: new(uint64)}
		if e.out, err = rings[i].NewProducer(); err != nil {
			return ends, err
		}
		if e.in, err = rings[1-i].NewConsumer(ring.ConsumerConfig{From: ring.Oldest}); err != nil {
			return ends, err
		}
		ends[i] = views(e)
	}
	return ends, nil
}

func config(j side.Job) ring.Config {
	return ring.Config{Capacity: capacityOf(j), Slots: 64, Prefault: true}
}

// The rings are named after the side that sends on them.
func ringName(j side.Job, i int) string { return j.Link + "-" + strconv.Itoa(i) }

func layNamed(l *link, j side.Job) error {
	for i := range 2 {
		r, err := ring.Create(ringName(j, i), config(j))
		if err != nil {
			return err
		}
		l.undo = append(l.undo, func() error { return ring.Remove(ringName(j, i)) })
		if err := r.Close(); err != nil {
			return err
		}
	}
	return nil
}

// openNamed opens a ring that exists. Create does it, because it takes options.
func openNamed(j side.Job, i int) (*ring.Ring, error) {
	return ring.Create(ringName(j, i), ring.Config{Prefault: true})
}

func socketName(j side.Job, i int) string { return filepath.Join(j.Dir, "ring"+strconv.Itoa(i)) }

func listen(j side.Job, i int) (*ring.Ring, error) {
	cfg := ring.ServeConfig{Config: config(j)}
	if strings.Contains(j.Contestant, otherUser) {
		cfg.Users, cfg.Patience = []uint32{0, nobody}, -1
	}
	return ring.Listen(socketName(j, i), cfg)
}

// dial waits for the ring to be served. A socket that has just been made may not
// yet be everybody's.
func dial(j side.Job, i int) (*ring.Ring, error) {
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		r, err := ring.Dial(forever, socketName(j, i))
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, ring.ErrProducerDied):
		case errors.Is(err, fs.ErrPermission) && time.Since(begin) < time.Second:
		default:
			return r, err
		}
	}
}

const (
	otherUser = "to another user"
	nobody    = 65534
)

// ringEnd is a producer on one ring, or a consumer on another, or both, as the
// work wants it.
type ringEnd struct {
	out   *ring.Producer
	in    *ring.Consumer
	size  int
	batch uint64
	lost  *uint64
}

var forever = context.Background()

func (p place) join(j side.Job, wait ring.Wait, policy ring.Policy) (e ringEnd, err error) {
	e = ringEnd{size: j.Size, batch: uint64(j.Batch), lost: new(uint64)}
	both := j.Work == "round trip"
	if both || j.Side == 0 {
		r, err := p.mine(j, j.Side)
		if err != nil {
			return e, err
		}
		defer r.Close()
		if e.out, err = r.NewProducer(ring.ProducerConfig{Wait: wait}); err != nil {
			return e, err
		}
	}
	if both || j.Side > 0 {
		from := 0
		if both {
			from = 1 - j.Side
		}
		r, err := p.others(j, from)
		if err != nil {
			return e, err
		}
		defer r.Close()
		if e.in, err = r.NewConsumer(ring.ConsumerConfig{Wait: wait, Policy: policy, From: ring.Oldest}); err != nil {
			return e, err
		}
	}
	if e.out == nil {
		return e, nil
	}
	// A ring drops what nobody is there to receive.
	return e, e.out.WaitConsumers(forever, max(j.Consumers, 1))
}

// Close leaves the consumer: it ends with the process, and what is still to
// come to it is nobody's concern.
func (e ringEnd) Close() error { return e.out.Close() }

func (e ringEnd) Drain() error { return e.out.Drain(forever) }

func (e ringEnd) Lost() uint64 { return *e.lost }

// ringViews fills and views messages where they lie, and commits and releases
// so many at a time.
type ringViews struct{ ringEnd }

func views(e ringEnd) side.End { return ringViews{e} }

func (e ringViews) Send(from, to uint64) error {
	for n := from; n < to; {
		for stop := min(n+e.batch, to); n < stop; n++ {
			b, err := e.out.Reserve(forever, e.size)
			if err != nil {
				return err
			}
			if len(b) == 64 { // fill, in line
				side.Fill64((*[64]byte)(b), n)
			} else {
				side.Fill(b, n)
			}
		}
		if err := e.out.Commit(); err != nil {
			return err
		}
	}
	return nil
}

func (e ringViews) Receive(from, to uint64) (uint64, error) {
	for n := from; n < to; {
		for stop := min(n+e.batch, to); n < stop; n++ {
			rec, err := e.in.Next(forever)
			if err != nil {
				return side.Received(n, err)
			}
			b, good := rec.Payload(), false
			if len(b) == 64 && e.size == 64 { // holds, in line
				good = side.Holds64((*[64]byte)(b), n)
			} else {
				good = side.Holds(b, n, e.size)
			}
			if !good {
				return n, side.ErrWrong(n)
			}
		}
		if err := e.in.Release(); err != nil {
			return n, err
		}
	}
	return to, nil
}

// ringCopy writes and reads copies.
type ringCopy struct {
	ringEnd
	buf []byte
}

func copies(e ringEnd) side.End { return ringCopy{e, make([]byte, e.size)} }

func (e ringCopy) Send(from, to uint64) error {
	for n := from; n < to; n++ {
		fill(e.buf, n)
		if _, err := e.out.Write(e.buf); err != nil {
			return err
		}
	}
	return nil
}

func (e ringCopy) Receive(from, to uint64) (uint64, error) {
	for n := from; n < to; n++ {
		rec, err := e.in.Read(forever, e.buf)
		if err != nil {
			return side.Received(n, err)
		}
		if !holds(rec.Payload(), n, e.size) {
			return n, side.ErrWrong(n)
		}
	}
	return to, nil
}

// ringRecords receives by the iterator.
type ringRecords struct{ ringViews }

func records(e ringEnd) side.End { return ringRecords{ringViews{e}} }

func (e ringRecords) Receive(from, to uint64) (uint64, error) {
	n := from
	for rec, err := range e.in.Records(forever) {
		if err != nil {
			return n, err
		}
		if !holds(rec.Payload(), n, e.size) {
			return n, side.ErrWrong(n)
		}
		if n++; n == to {
			return n, nil
		}
	}
	return n, io.EOF
}

// ringLossy steps over what it has missed, and counts it.
type ringLossy struct{ ringViews }

func lossy(e ringEnd) side.End { return ringLossy{ringViews{e}} }

func (e ringLossy) Receive(from, to uint64) (uint64, error) {
	for n := from; n < to; {
		rec, err := e.in.Next(forever)
		if err == nil {
			// Of a torn record nobody has said yet that it is one.
			n = rec.Sequence
			whole := holds(rec.Payload(), n-1, e.size)
			if err = e.in.Release(); err == nil && !whole {
				return n, side.ErrWrong(n - 1)
			}
		}
		var over *ring.OverrunError
		if errors.As(err, &over) {
			*e.lost += over.Lost
			n = over.To
			if to != math.MaxUint64 {
				to = max(to, n)
			}
		} else if err != nil {
			return side.Received(n, err)
		}
	}
	return to, nil
}

// fill and holds are Fill and Holds of the side, in line for the sizes that
// are so small that a call counts.
func fill(b []byte, n uint64) {
	if len(b) == 64 {
		side.Fill64((*[64]byte)(b), n)
	} else {
		side.Fill(b, n)
	}
}

func holds(b []byte, n uint64, size int) bool {
	if len(b) == 64 && size == 64 {
		return side.Holds64((*[64]byte)(b), n)
	}
	return side.Holds(b, n, size)
}

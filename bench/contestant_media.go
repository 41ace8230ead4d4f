package main

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"

	"github.com/carousel-ipc/carousel/bench/internal/side"
	"github.com/carousel-ipc/carousel/transport"
)

// overMedium carries records over what url names: frames, zero copies by the
// program, so many at a time.
func overMedium(scheme, about string, lay func(*link, side.Job) error, url func(side.Job) (string, error)) contestant {
	return contestant{
		Contestant: side.Contestant{
			Name: "transport " + scheme, Loose: true,
			Join: func(j side.Job) (side.End, error) {
				at, err := url(j)
				if err != nil {
					return nil, err
				}
				return joinMedium(j, at)
			},
		},
		about: "package transport, " + about, kind: ours, lay: lay,
	}
}

func joinMedium(j side.Job, url string) (side.End, error) {
	e := mediumEnd{size: j.Size, batch: uint64(j.Batch), lost: new(uint64)}
	var err error
	switch {
	case j.Side > 0 && url == "pipe:":
		e.in, err = transport.OpenPipe(forever, os.NewFile(firstFile, "in"), transport.ConsumerConfig{From: transport.Oldest})
		return e, err
	case j.Side > 0:
		e.in, err = transport.Open(forever, url, transport.ConsumerConfig{From: transport.Sequence(1)})
		return e, err
	case url == "pipe:":
		e.out, err = transport.CreatePipe(os.NewFile(firstFile, "out"), transport.ProducerConfig{})
	default:
		e.out, err = transport.Create(url, transport.ProducerConfig{})
	}
	if err != nil {
		return nil, err
	}
	if err = e.out.WaitConsumers(forever, 1); errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return e, err
}

// mediumEnd is a producer, or a consumer.
type mediumEnd struct {
	out   transport.Producer
	in    transport.Consumer
	size  int
	batch uint64
	lost  *uint64
}

func (e mediumEnd) Lost() uint64 { return *e.lost }

// Close lets the medium, where it can tell, get rid of everything first.
func (e mediumEnd) Close() error { return errors.Join(e.out.Drain(forever), e.out.Close()) }

func (e mediumEnd) Send(from, to uint64) error {
	for n := from; n < to; {
		for stop := min(n+e.batch, to); n < stop; n++ {
			b, err := e.reserve()
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

// reserve makes a batch smaller that the medium has no room for as a whole.
func (e mediumEnd) reserve() ([]byte, error) {
	b, err := e.out.Reserve(forever, transport.Header{}, e.size)
	if errors.Is(err, transport.ErrBatchFull) {
		if err = e.out.Commit(); err == nil {
			b, err = e.out.Reserve(forever, transport.Header{}, e.size)
		}
	}
	return b, err
}

// Receive views what there is, a batch at most, and gives it back.
func (e mediumEnd) Receive(from, to uint64) (uint64, error) {
	for n := from; n < to; {
		for stop := min(n+e.batch, to); n < stop; n++ {
			rec, err := e.next()
			if over, ok := errors.AsType[*transport.OverrunError](err); ok {
				*e.lost += over.Lost
				if n = over.To; to != math.MaxUint64 {
					to = max(to, n)
				}
				break
			}
			if err != nil {
				return side.Received(n, err)
			}
			if !holds(rec.Payload(), n, e.size) {
				return n, side.ErrWrong(n)
			}
		}
		if err := e.in.Release(); err != nil {
			return n, err
		}
	}
	return to, nil
}

// next gives back what was viewed before it waits.
func (e mediumEnd) next() (transport.Record, error) {
	rec, err := e.in.TryNext()
	if !errors.Is(err, transport.ErrEmpty) {
		return rec, err
	}
	if err := e.in.Release(); err != nil {
		return transport.Record{}, err
	}
	return e.in.Next(forever)
}

// A name in the folder of the measurement, behind a scheme.
func inFolder(scheme string) func(side.Job) (string, error) {
	return func(j side.Job) (string, error) { return scheme + "://" + filepath.Join(j.Dir, "medium"), nil }
}

// layPipe is one pipe, from side 0 to side 1.
func layPipe(l *link, _ side.Job) error {
	r, w, err := os.Pipe()
	l.files = [2][]*os.File{{w}, {r}}
	return err
}

// layAddress finds a port that is free now, and leaves it where both sides
// look.
func layAddress(network string) func(*link, side.Job) error {
	return func(_ *link, j side.Job) error {
		address := ""
		if network == "tcp" {
			l, err := net.Listen(network, "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer l.Close()
			address = l.Addr().String()
		} else {
			c, err := net.ListenPacket(network, "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer c.Close()
			address = c.LocalAddr().String()
		}
		return os.WriteFile(filepath.Join(j.Dir, "address"), []byte(address), 0o600)
	}
}

func addressOf(j side.Job) (string, error) {
	b, err := os.ReadFile(filepath.Join(j.Dir, "address"))
	return string(b), err
}

func atAddress(scheme string) func(side.Job) (string, error) {
	return func(j side.Job) (string, error) {
		address, err := addressOf(j)
		return scheme + "://" + address, err
	}
}

// layQueue takes away what killed sides leave.
func layQueue(l *link, j side.Job) error {
	l.undo = append(l.undo, func() error {
		p, err := transport.Create("mq://"+queueName(j, 0), transport.ProducerConfig{})
		if err != nil {
			return ignoreUnsupported(err)
		}
		c, err := transport.Open(context.Background(), "mq://"+queueName(j, 0), transport.ConsumerConfig{})
		if err != nil {
			return errors.Join(err, p.Close())
		}
		for err == nil {
			_, err = c.TryNext()
		}
		return errors.Join(onlyEmpty(err), c.Close(), p.Close())
	})
	return nil
}

func ignoreUnsupported(err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

func onlyEmpty(err error) error {
	if errors.Is(err, transport.ErrEmpty) || err == io.EOF {
		return nil
	}
	return err
}

package main

import (
	"errors"
	"io"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// natsWindow is how many messages may be under way. The server drops what a
// subscriber does not keep up with, and so does the client.
const natsWindow = 1 << 15

type natsEnd struct {
	conn      *nats.Conn
	out       string
	in        chan *nats.Msg
	buf       []byte
	sent      uint64
	seen, got *atomic.Uint64 // what the other side has received, and this one
}

func pairNATS(j side.Job) (ends [2]side.End, err error) {
	s, err := server.NewServer(&server.Options{DontListen: true, NoLog: true, NoSigs: true, MaxPending: 1 << 30})
	if err != nil {
		return ends, err
	}
	go s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return ends, errors.New("the embedded NATS server does not start")
	}
	var counts [2]atomic.Uint64
	subjects := []string{"there", "back"}
	for i := range ends {
		e := &natsEnd{
			out: subjects[i], in: make(chan *nats.Msg, 2*natsWindow), buf: make([]byte, j.Size),
			seen: &counts[1-i], got: &counts[i],
		}
		if e.conn, err = nats.Connect("", nats.InProcessServer(s)); err != nil {
			return ends, err
		}
		if _, err = e.conn.ChanSubscribe(subjects[1-i], e.in); err != nil {
			return ends, err
		}
		if err = e.conn.Flush(); err != nil {
			return ends, err
		}
		ends[i] = e
	}
	return ends, nil
}

func (e *natsEnd) Send(from, to uint64) error {
	for n := from; n < to; n++ {
		side.Fill(e.buf, n)
		for e.sent-e.seen.Load() >= natsWindow {
			runtime.Gosched()
		}
		if err := e.conn.Publish(e.out, e.buf); err != nil {
			return err
		}
		e.sent++
	}
	return nil
}

// Receive takes an empty message for the end.
func (e *natsEnd) Receive(from, to uint64) (uint64, error) {
	for n := from; n < to; n++ {
		m := <-e.in
		e.got.Add(1)
		if len(m.Data) == 0 {
			return n, io.EOF
		}
		if !side.Holds(m.Data, n, len(e.buf)) {
			return n, side.ErrWrong(n)
		}
	}
	return to, nil
}

func (e *natsEnd) Close() error { return errors.Join(e.conn.Publish(e.out, nil), e.conn.Flush()) }

package main

import (
	"io"
	"runtime"
	"sync/atomic"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

type xsyncEnd struct {
	queue  *xsync.SPSCQueue[[small]byte]
	closed *atomic.Bool
}

// pairXsync goes one way only.
func pairXsync(side.Job) ([2]side.End, error) {
	e := xsyncEnd{xsync.NewSPSCQueue[[small]byte](4096), new(atomic.Bool)}
	return [2]side.End{e, e}, nil
}

func (e xsyncEnd) Send(from, to uint64) error {
	var m [small]byte
	for n := from; n < to; n++ {
		side.Fill64(&m, n)
		for !e.queue.TryEnqueue(m) {
			runtime.Gosched()
		}
	}
	return nil
}

func (e xsyncEnd) Receive(from, to uint64) (uint64, error) {
	for n := from; n < to; n++ {
		m, ok := e.queue.TryDequeue()
		for !ok {
			// Closed first, then a last look: what was sent before is there.
			closed := e.closed.Load()
			if m, ok = e.queue.TryDequeue(); ok {
				break
			}
			if closed {
				return n, io.EOF
			}
			runtime.Gosched()
		}
		if !side.Holds64(&m, n) {
			return n, side.ErrWrong(n)
		}
	}
	return to, nil
}

func (e xsyncEnd) Close() error {
	e.closed.Store(true)
	return nil
}

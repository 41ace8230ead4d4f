package main

import (
	"io"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// channel is both sides in one process. Messages are of 64 bytes, in the
// channel itself.
func channel() contestant {
	return contestant{
		Contestant: side.Contestant{Name: "Go channel, in one process", Loose: true, Pair: pairChannels},
		about:      "chan [64]byte of 1024, two goroutines", kind: plain,
	}
}

type chanEnd struct {
	out chan<- [64]byte
	in  <-chan [64]byte
}

func pairChannels(side.Job) ([2]side.End, error) {
	there, back := make(chan [64]byte, 1024), make(chan [64]byte, 1024)
	return [2]side.End{chanEnd{there, back}, chanEnd{back, there}}, nil
}

func (e chanEnd) Send(from, to uint64) error {
	var m [64]byte
	for n := from; n < to; n++ {
		side.Fill64(&m, n)
		e.out <- m
	}
	return nil
}

func (e chanEnd) Receive(from, to uint64) (uint64, error) {
	for n := from; n < to; n++ {
		m, ok := <-e.in
		if !ok {
			return n, io.EOF
		}
		if !side.Holds64(&m, n) {
			return n, side.ErrWrong(n)
		}
	}
	return to, nil
}

func (e chanEnd) Close() error {
	close(e.out)
	return nil
}

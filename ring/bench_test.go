package ring

import (
	"io"
	"testing"
)

// One operation is one record of 64 bytes. BenchmarkProduce and
// BenchmarkConsume fill and drain a ring by turns in one goroutine, with the
// clock on for one side only: instructions and allocations, and no line that
// moves between processors. BenchmarkGoroutines adds that, and the waiting.

const (
	benchPayload = 64
	benchTurn    = 8 << 10 // records until it is the other side's turn: they fit
	benchCommit  = 32
)

type benchPair struct {
	p       *Producer
	c       *Consumer
	payload []byte
	buf     []byte
}

func newBenchPair(b *testing.B) *benchPair {
	r := newRing(b, Config{Capacity: 1 << 20})
	return &benchPair{
		p: newProducer(b, r), c: newConsumer(b, r, ConsumerConfig{}),
		payload: pattern(1, benchPayload), buf: make([]byte, benchPayload),
	}
}

// A benchSide moves n records in or out.
type benchSide func(h *benchPair, n int) error

func benchReserve(h *benchPair, n int) error {
	for range n {
		if _, err := h.p.Reserve(background, benchPayload); err != nil {
			return err
		}
		if err := h.p.Commit(); err != nil {
			return err
		}
	}
	return nil
}

func benchReserveBatch(h *benchPair, n int) error {
	for i := range n {
		if _, err := h.p.Reserve(background, benchPayload); err != nil {
			return err
		}
		if i%benchCommit == benchCommit-1 || i == n-1 {
			if err := h.p.Commit(); err != nil {
				return err
			}
		}
	}
	return nil
}

func benchBatch(h *benchPair, n int) error {
	for n > 0 {
		b, err := h.p.ReserveBatch(background, benchPayload, min(n, benchCommit))
		if err != nil {
			return err
		}
		if err := h.p.Commit(); err != nil {
			return err
		}
		n -= b.Len()
	}
	return nil
}

func benchWrite(h *benchPair, n int) error {
	for range n {
		if _, err := h.p.Write(h.payload); err != nil {
			return err
		}
	}
	return nil
}

func benchNext(h *benchPair, n int) error {
	for range n {
		if _, err := h.c.Next(background); err != nil {
			return err
		}
		if err := h.c.Release(); err != nil {
			return err
		}
	}
	return nil
}

func benchNextBatch(h *benchPair, n int) error {
	for i := range n {
		if _, err := h.c.Next(background); err != nil {
			return err
		}
		if i%benchCommit == benchCommit-1 || i == n-1 {
			if err := h.c.Release(); err != nil {
				return err
			}
		}
	}
	return nil
}

func benchViewBatch(h *benchPair, n int) error {
	for n > 0 {
		b, err := h.c.NextBatch(background, min(n, benchCommit))
		if err != nil {
			return err
		}
		for i := range b.Len() {
			if len(b.Payload(i)) != benchPayload {
				return io.ErrShortBuffer
			}
		}
		if err := h.c.Release(); err != nil {
			return err
		}
		n -= b.Len()
	}
	return nil
}

func benchRead(h *benchPair, n int) error {
	for range n {
		if _, err := h.c.Read(background, h.buf); err != nil {
			return err
		}
	}
	return nil
}

func benchRecords(h *benchPair, n int) error {
	if n == 0 {
		return nil
	}
	for _, err := range h.c.Records(background) {
		if err != nil {
			return err
		}
		if n--; n == 0 {
			break
		}
	}
	return nil
}

func BenchmarkProduce(b *testing.B) {
	for _, s := range []struct {
		name string
		side benchSide
	}{
		{"Reserve+Commit", benchReserve},
		{"Reserve+Commit/batch=32", benchReserveBatch},
		{"ReserveBatch+Commit/batch=32", benchBatch},
		{"Write", benchWrite},
	} {
		b.Run(s.name, func(b *testing.B) { byTurns(b, s.side, benchRecords, true) })
	}
}

func BenchmarkConsume(b *testing.B) {
	for _, s := range []struct {
		name string
		side benchSide
	}{
		{"Next+Release", benchNext},
		{"Next+Release/batch=32", benchNextBatch},
		{"NextBatch+Release/batch=32", benchViewBatch},
		{"Read", benchRead},
		{"Records", benchRecords},
	} {
		b.Run(s.name, func(b *testing.B) { byTurns(b, benchReserveBatch, s.side, false) })
	}
}

// byTurns runs the clock for what fills the ring, or for what drains it.
func byTurns(b *testing.B, fill, drain benchSide, fillTimed bool) {
	h := newBenchPair(b)
	turn := func(side benchSide, n int, timed bool) {
		if timed {
			b.StartTimer()
			defer b.StopTimer()
		}
		if err := side(h, n); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.StopTimer()
	b.ResetTimer()
	for left := b.N; left > 0; left -= benchTurn {
		n := min(left, benchTurn)
		turn(fill, n, fillTimed)
		turn(drain, n, !fillTimed)
	}
}

func BenchmarkGoroutines(b *testing.B) {
	for _, s := range []struct {
		name     string
		in, from benchSide
	}{
		{"Reserve+Commit,Next+Release", benchReserve, benchNext},
		{"Reserve+Commit,Next+Release/batch=32", benchReserveBatch, benchNextBatch},
		{"ReserveBatch+Commit,NextBatch+Release/batch=32", benchBatch, benchViewBatch},
		{"Reserve+Commit,Records", benchReserve, benchRecords},
		{"Write,Read", benchWrite, benchRead},
	} {
		b.Run(s.name, func(b *testing.B) {
			h := newBenchPair(b)
			b.ReportAllocs()
			b.ResetTimer()
			drained := make(chan error)
			go func() { drained <- s.from(h, b.N) }()
			if err := s.in(h, b.N); err != nil {
				b.Fatal(err)
			}
			if err := <-drained; err != nil {
				b.Fatal(err)
			}
		})
	}
}

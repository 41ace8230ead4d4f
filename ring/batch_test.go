package ring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/frame"
)

// However batches, single records and aborts follow each other, and however
// much a consumer takes at a time, it gets every record once, in order and whole.
func TestBatchesAreTheRecords(t *testing.T) {
	for _, policy := range []Policy{Reliable, Deadline(time.Hour), Lossy} {
		for _, checksum := range []bool{false, true} {
			for seed := range uint64(4) {
				t.Run(fmt.Sprintf("%v/checksum=%v/%d", policy, checksum, seed), func(t *testing.T) {
					r := newRing(t, Config{Capacity: MinCapacity, Checksum: checksum})
					w := &batchWalk{t: t, rng: rand.New(rand.NewPCG(seed, 7)), next: 1, size: int(seed) * 13,
						p: newProducer(t, r), c: newConsumer(t, r, ConsumerConfig{Policy: policy})}
					const records = 5000
					for w.p.Sequence() <= records {
						w.stage()
					}
					must(t, w.p.Commit())
					for w.take() {
					}
					end := w.p.Sequence()
					must(t, w.p.Close())
					for w.take() {
					}
					if w.next != end {
						t.Errorf("received up to %d, want %d", w.next-1, end-1)
					}
					st := w.c.Stats()
					if st.Received+st.Lost != end-1 || policy != Lossy && st.Lost != 0 {
						t.Errorf("received %d, lost %d of %d", st.Received, st.Lost, end-1)
					}
					if several := w.several > records/100; several == checksum {
						t.Errorf("%d batches of several records, checksum %v", w.several, checksum)
					}
				})
			}
		}
	}
}

// batchWalk publishes and consumes what its random numbers say.
type batchWalk struct {
	t       *testing.T
	rng     *rand.Rand
	p       *Producer
	c       *Consumer
	size    int    // of the records staged now
	next    uint64 // record to come
	several int
}

// stage reserves something, and may commit it.
func (w *batchWalk) stage() {
	if w.rng.IntN(6) == 0 {
		w.size = w.rng.IntN(100)
	}
	want := 1 + w.rng.IntN(9)
	first := w.p.Sequence()
	b, err := w.p.TryReserveBatch(w.size, want)
	if errors.Is(err, ErrFull) || errors.Is(err, ErrBatchFull) {
		must(w.t, w.p.Commit())
		for range 1 + w.rng.IntN(20) {
			w.take()
		}
		return
	}
	must(w.t, err)
	if b.Len() < 1 || b.Len() > want || w.p.Sequence() != first+uint64(b.Len()) {
		w.t.Fatalf("a batch of %d from %d, wanted %d; next %d", b.Len(), first, want, w.p.Sequence())
	}
	if w.p.end+16 > w.c.cursor+w.p.capacity && w.c.policy != Lossy || w.p.end > w.p.pos+w.p.capacity {
		w.t.Fatalf("a batch up to %d, the consumer is at %d, P0 at %d", w.p.end, w.c.cursor, w.p.pos)
	}
	for i := range b.Len() {
		if rec := b.Record(i); rec.Sequence != first+uint64(i) || rec.Len() != w.size || len(b.Payload(i)) != w.size {
			w.t.Fatalf("record %d of a batch from %d of %d bytes: %v", i, first, w.size, rec)
		}
		copy(b.Payload(i), pattern(first+uint64(i), w.size))
	}
	if b.Len() > 1 {
		w.several++
	}
	switch w.rng.IntN(8) {
	case 0:
		w.p.Abort()
	case 1, 2, 3, 4:
		must(w.t, w.p.Commit())
	case 5: // one more, of another kind
		if _, err := w.p.TryReserveRecord(Header{Type: 5}, 0); err != nil && !errors.Is(err, ErrFull) && !errors.Is(err, ErrBatchFull) {
			w.t.Fatal(err)
		}
	}
}

// take views something, one by one or several, and reports whether there was any.
func (w *batchWalk) take() bool {
	var recs []Record
	want := 1 + w.rng.IntN(9)
	b, err := w.c.TryNextBatch(want)
	if err == nil {
		if b.Len() < 1 || b.Len() > want {
			w.t.Fatalf("a batch of %d, wanted %d", b.Len(), want)
		}
		for i := range b.Len() {
			recs = append(recs, b.Record(i))
		}
		if w.rng.IntN(2) == 0 {
			if rec, err := w.c.TryNext(); err == nil {
				recs = append(recs, rec)
			}
		}
		if w.c.policy == Lossy { // theirs may be overwritten by what is checked below
			for i, rec := range recs {
				recs[i] = frame.View(rec.Sequence, rec.Meta, bytes.Clone(rec.Payload()))
			}
		}
		err = w.c.Release()
	}
	var over *OverrunError
	switch {
	case errors.As(err, &over):
		w.next = over.To + 1
		return true
	case err == io.EOF, errors.Is(err, ErrEmpty):
		return false
	}
	must(w.t, err)
	for _, rec := range recs {
		want := pattern(rec.Sequence, rec.Len())
		if rec.Sequence != w.next || rec.Type() == 0 && !bytes.Equal(rec.Payload(), want) {
			w.t.Fatalf("record %v, want %d", rec, w.next)
		}
		w.next++
	}
	return true
}

// A batch is as large as was asked for where nothing stands in its way.
func TestBatchesAreWhole(t *testing.T) {
	r := newRing(t, Config{Capacity: 1 << 20})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{})
	must(t, p.WriteChain(background, 0, []byte("one that opens the way")))
	_, err := c.NextBatch(background, 100)
	must(t, err)
	must(t, c.Release())
	const n = 500
	b, err := p.ReserveBatch(background, 24, n)
	must(t, err)
	for i := range b.Len() {
		copy(b.Payload(i), pattern(uint64(i), 24))
	}
	must(t, p.Commit())
	got, err := c.NextBatch(background, 2*n)
	must(t, err)
	if b.Len() != n || got.Len() != n {
		t.Fatalf("staged %d and viewed %d at once, want %d", b.Len(), got.Len(), n)
	}
	for i := range n {
		if rec := got.Record(i); rec.Sequence != uint64(i+2) || !bytes.Equal(got.Payload(i), pattern(uint64(i), 24)) {
			t.Fatalf("record %d: %v", i, rec)
		}
	}
	must(t, c.Release())
	for _, count := range []int{0, -1} {
		_, err := p.ReserveBatch(background, 8, count)
		expectErr(t, err, ErrConfig)
		_, err = c.NextBatch(background, count)
		expectErr(t, err, ErrConfig)
	}
	for _, size := range []int{-1, r.MaxRecord() + 1, math.MinInt} {
		_, err := p.ReserveBatch(background, size, 3)
		expectErr(t, err, ErrTooLarge)
	}
}

// Records of chosen types come one by one, and others between them not at all.
func TestBatchesOfTypes(t *testing.T) {
	r := newRing(t, Config{})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{Types: []uint16{3}})
	for i := range 20 {
		_, err := p.WriteType(uint16(i%4), pattern(uint64(i+1), 30))
		must(t, err)
	}
	for i := 4; i <= 20; i += 4 {
		b, err := c.TryNextBatch(10)
		must(t, err)
		if rec := b.Record(0); b.Len() != 1 || rec.Sequence != uint64(i) || rec.Type() != 3 {
			t.Fatalf("%d records, %v, want record %d", b.Len(), rec, i)
		}
	}
	_, err := c.TryNextBatch(10)
	expectErr(t, err, ErrEmpty)
	must(t, c.Release())
}

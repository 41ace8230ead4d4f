package fuzz

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/carousel-ipc/carousel/ring"
	"github.com/carousel-ipc/carousel/shm"
)

// An entry is a record as the model knows it. bytes is its payload where that
// does not follow from its sequence.
type entry struct {
	n     int
	typ   uint16
	bytes []byte
}

// The model: what is committed, what is staged, and where each consumer stands.
type model struct {
	committed, pending []entry
	readers            [consumers]reader
	epoch              uint64   // producers that have gone
	closed             []uint64 // records before which one of them ended the stream
}

type reader struct {
	here, gates bool
	joined      uint64 // the record before which it came
	from        uint64 // first record that it can have
	at          uint64 // next record
}

// holds is the first record that it may keep the producer from overwriting:
// until it got one, those before the first that it wants, too.
func (r reader) holds() uint64 {
	if r.at == r.from {
		return min(r.joined, r.at)
	}
	return r.at
}

func (m *model) next() uint64 { return uint64(len(m.committed) + len(m.pending) + 1) }
func (m *model) staged() int  { return len(m.pending) }
func (m *model) stage(e entry) {
	m.pending = append(m.pending, e)
}
func (m *model) commit() {
	m.committed = append(m.committed, m.pending...)
	m.pending = nil
}
func (m *model) abort()     { m.pending = nil }
func (m *model) left(k int) { m.readers[k] = reader{} }

// gated tells whether anybody can make the producer wait.
func (m *model) gated() bool {
	for _, r := range m.readers {
		if r.here && r.gates {
			return true
		}
	}
	return false
}

// mayBeFull tells whether there can be no credit: some consumer that gates
// stands far enough behind.
func (m *model) mayBeFull(capacity int) bool {
	for _, r := range m.readers {
		if !r.here || !r.gates {
			continue
		}
		// A record takes 32 bytes at most beyond its payload, and a filler can
		// take as much as a quarter of the ring.
		size := capacity / 2
		for i := r.holds(); i < m.next(); i++ {
			size += m.entry(i).n + 48
		}
		for _, end := range m.closed { // ends of streams take room, too
			if end >= r.holds() {
				size += 48
			}
		}
		if size > capacity/2+capacity/8 {
			return true
		}
	}
	return false
}

func (m *model) entry(seq uint64) entry {
	if i := int(seq) - 1; i < len(m.committed) {
		return m.committed[i]
	} else {
		return m.pending[i-len(m.committed)]
	}
}

// joined notes a new consumer, which says that it comes before record seq.
func (m *model) joined(k int, gates bool, from ring.Start, seq uint64) error {
	end := uint64(len(m.committed) + 1)
	at := seq
	if n, ok := from.Number(); ok {
		at = n
	} else if from == ring.Latest && seq != end || seq > end {
		return fmt.Errorf("joined before record %d, from %v; want %d", seq, from, end)
	}
	m.readers[k] = reader{here: true, gates: gates, joined: min(seq, end), from: at, at: at}
	return nil
}

// seen is a record that a consumer got.
type seen struct {
	seq   uint64
	typ   uint16
	bytes []byte
}

func see(rec ring.Record) seen { return seen{rec.Sequence, rec.Type(), bytes.Clone(rec.Payload())} }

func (m *model) got(k int, s seen) error {
	r := &m.readers[k]
	if s.seq != r.at || s.seq > uint64(len(m.committed)) {
		return fmt.Errorf("consumer %d got record %d, want %d of %d", k, s.seq, r.at, len(m.committed))
	}
	e := m.entry(s.seq)
	want := e.bytes
	if want == nil {
		want = payload(s.seq, e.n)
	}
	if s.typ != e.typ || !bytes.Equal(s.bytes, want) {
		return fmt.Errorf("consumer %d: record %d has type %d and %d bytes, want %d and %d", k, s.seq, s.typ, len(s.bytes), e.typ, len(want))
	}
	r.at++
	return nil
}

// judge says whether an error of a consumer's call is due; io.EOF if it is the
// end of a stream.
func (m *model) judge(k int, err error) error {
	r := &m.readers[k]
	over, lost := errors.AsType[*ring.OverrunError](err)
	switch {
	case lost:
		if over.From != r.at || over.To < over.From || over.Lost != over.To-over.From+1 || over.To > uint64(len(m.committed)) {
			return fmt.Errorf("consumer %d: %w, want from record %d", k, err, r.at)
		}
		if r.gates && r.at > r.from {
			return fmt.Errorf("consumer %d gates, and lost: %w", k, err)
		}
		r.at = over.To + 1
		return nil
	case errors.Is(err, ring.ErrEmpty), errors.Is(err, context.Canceled):
		if r.at <= uint64(len(m.committed)) {
			return fmt.Errorf("consumer %d: nothing there, want record %d of %d", k, r.at, len(m.committed))
		}
		return nil
	case err == io.EOF && slices.ContainsFunc(m.closed, func(end uint64) bool {
		return end == r.at || end < r.at && r.at == r.from // it begins with what was still to come
	}):
		return io.EOF
	}
	return fmt.Errorf("consumer %d: %w", k, err)
}

var (
	background = context.Background()
	done       = func() context.Context {
		ctx, cancel := context.WithCancel(background)
		cancel()
		return ctx
	}()
)

// payload is what record seq of n bytes holds.
func payload(seq uint64, n int) []byte {
	b := make([]byte, n, n+8)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:i+8:n+8], seq*0x9e3779b97f4a7c15+uint64(i))
	}
	return b
}

func aligned(n int) []byte { return shm.Heap(n).Bytes() }

func must(t testing.TB, err error) {
	if err != nil {
		t.Helper() // not before: it takes longer than what is tested
		t.Fatal(err)
	}
}

package ring

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/carousel-ipc/carousel/frame"
)

func init() { _ = flag.Set("rapid.checks", "2000") } // unless the command line says more

// The API as a state machine, in one goroutine: after each call the ring has
// said exactly what a list of records, a position and a cursor for each
// consumer say. -rapid.seed repeats a run; the seed is printed on failure.
func TestAPIIsAListAndCursors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		defer m.over()
		t.Repeat(rapid.StateMachineActions(m))
	})
}

// machine is a ring and what it must be like. Positions are computed here, not
// asked for.
type machine struct {
	r         *Ring
	p         *Producer // nil: none lives
	cfg       Config
	committed [][]byte
	staged    [][]byte
	pos, end  uint64 // of what is committed and of what is staged
	consumers []*customer
	ended     bool            // the last producer closed
	ends      map[uint64]bool // sequences at which one has closed
}

// customer is a consumer and what it must see next.
type customer struct {
	c       *Consumer
	policy  Policy
	next    uint64 // the record that is due
	cursor  uint64 // all before it is given back
	held    int    // records viewed
	evicted bool
}

func newMachine(t *rapid.T) *machine {
	m := &machine{ends: map[uint64]bool{}, cfg: Config{Capacity: MinCapacity, Slots: 3, Checksum: rapid.Bool().Draw(t, "checksum")}}
	m.cfg.MaxRecord = MinCapacity/2 - frame.HeaderSize - 4
	r, err := Anonymous(m.cfg)
	ok(t, err)
	m.r = r
	return m
}

func (m *machine) over() {
	if m.p != nil {
		m.p.Close()
	}
	for _, k := range m.consumers {
		k.c.Close()
	}
	m.r.Close()
}

func ok(t *rapid.T, err error) {
	if err != nil {
		t.Fatalf("%v", err)
	}
}

func (m *machine) flags() frame.Flags {
	if m.cfg.Checksum {
		return frame.CRC
	}
	return 0
}

// behind is where a record of n bytes behind pos would begin and end.
func (m *machine) behind(pos uint64, n int) (start, end uint64) {
	size := uint64(frame.Size(n, m.flags()))
	if pos%MinCapacity+size > MinCapacity {
		pos += MinCapacity - pos%MinCapacity
	}
	return pos, pos + size
}

// gate is the slowest cursor that gates.
func (m *machine) gate() uint64 {
	g := ^uint64(0) >> 1
	for _, k := range m.consumers {
		if k.policy.Gates() && !k.evicted {
			g = min(g, k.cursor)
		}
	}
	return g
}

func (m *machine) Open(t *rapid.T) {
	p, err := m.r.NewProducer()
	if m.p != nil {
		if !errors.Is(err, ErrProducerLive) {
			t.Fatalf("a second producer: %v", err)
		}
		return
	}
	ok(t, err)
	m.p, m.ended = p, false
	if p.Sequence() != uint64(len(m.committed))+1 {
		t.Fatalf("goes on at %d, %d are committed", p.Sequence(), len(m.committed))
	}
	m.pos, m.end = p.pos, p.pos // an EOS may lie between
}

func (m *machine) Reserve(t *rapid.T) {
	if m.p == nil {
		t.Skip()
	}
	n := rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(0, m.cfg.MaxRecord+1), rapid.IntRange(1000, 1500)).Draw(t, "size")
	_, end := m.behind(m.end, n)
	need := end + frame.HeaderSize
	before := m.gate()
	b, err := m.p.TryReserve(n)
	m.noteEvicted(t)
	switch {
	case n > m.cfg.MaxRecord:
		if !errors.Is(err, ErrTooLarge) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	case need > m.pos+MinCapacity:
		if !errors.Is(err, ErrBatchFull) {
			t.Fatalf("%d bytes behind %d with %d committed: %v, want ErrBatchFull", n, m.end, m.pos, err)
		}
	case need > m.gate()+MinCapacity:
		if !errors.Is(err, ErrFull) {
			t.Fatalf("%d bytes behind %d with a cursor at %d: %v, want ErrFull", n, m.end, m.gate(), err)
		}
	default:
		if err != nil {
			t.Fatalf("%d bytes behind %d with a cursor at %d, %d before: %v", n, m.end, m.gate(), before, err)
		}
		seq := uint64(len(m.committed) + len(m.staged) + 1)
		copyIn(b, pattern(seq, n))
		m.staged = append(m.staged, pattern(seq, n))
		m.end = end
	}
}

// noteEvicted: only those with a deadline that were in the way may be.
func (m *machine) noteEvicted(t *rapid.T) {
	s, err := m.r.Stats()
	ok(t, err)
	for _, k := range m.consumers {
		for _, c := range s.Consumers {
			if c.Slot == k.c.slot && c.Evicted && !k.evicted {
				if k.policy.kind != kindDeadline {
					t.Fatalf("%v consumer evicted", k.policy)
				}
				k.evicted = true
			}
		}
	}
}

func (m *machine) Commit(t *rapid.T) {
	if m.p == nil {
		t.Skip()
	}
	ok(t, m.p.Commit())
	m.committed, m.staged, m.pos = append(m.committed, m.staged...), nil, m.end
	if m.p.pos != m.pos {
		t.Fatalf("committed up to %d, want %d", m.p.pos, m.pos)
	}
}

func (m *machine) Abort(t *rapid.T) {
	if m.p == nil {
		t.Skip()
	}
	m.p.Abort()
	m.staged, m.end = nil, m.pos
}

func (m *machine) Kill(t *rapid.T) {
	if m.p == nil {
		t.Skip()
	}
	die(m.r, m.p)
	m.p.unwatch()
	m.p, m.staged, m.end = nil, nil, m.pos
}

func (m *machine) CloseProducer(t *rapid.T) {
	if m.p == nil {
		t.Skip()
	}
	ok(t, m.p.Close())
	if _, err := m.p.TryReserve(1); !errors.Is(err, os.ErrClosed) {
		t.Fatalf("%v", err)
	}
	m.p, m.staged, m.ended, m.end = nil, nil, true, m.pos
	m.ends[uint64(len(m.committed))+1] = true
}

func (m *machine) Join(t *rapid.T) {
	policy := rapid.SampledFrom([]Policy{Reliable, Lossy, Deadline(time.Hour), Deadline(1)}).Draw(t, "policy")
	kind := rapid.IntRange(0, 2).Draw(t, "start")
	from := []Start{Latest, Oldest, Sequence(1 + rapid.Uint64Range(0, uint64(len(m.committed))+3).Draw(t, "sequence"))}[kind]
	c, err := m.r.NewConsumer(ConsumerConfig{Policy: policy, From: from})
	if len(m.consumers) == m.cfg.Slots {
		if !errors.Is(err, ErrNoSlot) {
			t.Fatalf("no slot is free: %v", err)
		}
		return
	}
	ok(t, err)
	k := &customer{c: c, policy: policy, next: c.Sequence(), cursor: c.cursor}
	last := uint64(len(m.committed))
	switch {
	case from == Latest && k.next != last+1:
		t.Fatalf("begins at %d, the latest is %d", k.next, last+1)
	case from.kind == startSequence && k.next < from.seq:
		t.Fatalf("begins at %d, %d was asked for", k.next, from.seq)
	case from.kind == startSequence:
		k.next = from.seq
	case k.next > last+1:
		t.Fatalf("begins at %d, %d are committed", k.next, last)
	}
	s, err := m.r.Stats()
	ok(t, err)
	if k.cursor > s.Producer.Position {
		t.Fatalf("stands at %d, committed is up to %d", k.cursor, s.Producer.Position)
	}
	m.consumers = append(m.consumers, k)
}

func (m *machine) any(t *rapid.T) *customer {
	if len(m.consumers) == 0 {
		t.Skip()
	}
	return m.consumers[rapid.IntRange(0, len(m.consumers)-1).Draw(t, "consumer")]
}

func (m *machine) Next(t *rapid.T) {
	k := m.any(t)
	first := k.next - uint64(k.held)
	rec, err := k.c.TryNext()
	if errors.Is(err, ErrOverrun) {
		k.next = first // what was held is among the lost
	}
	if k.held == 0 {
		k.cursor = k.c.cursor // it may have given back what it skipped
	}
	if err == nil && k.policy.kind == kindReliable {
		m.check(t, k, rec.Sequence, rec.Payload())
	} else if err == nil && rec.Sequence != k.next {
		t.Fatalf("%v: record %d, due was %d", k.policy, rec.Sequence, k.next)
	}
	if m.told(t, k, err) {
		k.next++
		k.held++
	}
}

func (m *machine) Release(t *rapid.T) {
	k := m.any(t)
	first := k.next - uint64(k.held)
	if err := k.c.Release(); err != nil {
		k.next = first // what was held is among the lost
		m.told(t, k, err)
	}
	k.held, k.cursor = 0, k.c.cursor
}

func (m *machine) Read(t *rapid.T) {
	k := m.any(t)
	if k.held > 0 {
		m.Release(t)
		return
	}
	rec, err := k.c.Read(never, nil)
	if err == nil {
		m.check(t, k, rec.Sequence, rec.Payload())
	}
	if m.told(t, k, err) {
		k.next++
	}
	k.cursor = k.c.cursor
}

func (m *machine) check(t *rapid.T, k *customer, seq uint64, payload []byte) {
	if seq != k.next || seq > uint64(len(m.committed)) || !bytes.Equal(payload, m.committed[seq-1]) {
		t.Fatalf("%v: record %d of %d bytes, due was %d of %d", k.policy, seq, len(payload), k.next, len(m.committed))
	}
}

// told judges an error; true: there is none.
func (m *machine) told(t *rapid.T, k *customer, err error) bool {
	last := uint64(len(m.committed))
	var over *OverrunError
	switch {
	case err == nil:
		return true
	case errors.Is(err, ErrEmpty), errors.Is(err, ErrProducerDied):
		if k.next <= last {
			t.Fatalf("%v: %v, and record %d of %d is there", k.policy, err, k.next, last)
		}
		if errors.Is(err, ErrProducerDied) && m.p != nil {
			t.Fatalf("%v: %v, and one lives", k.policy, err)
		}
	case errors.Is(err, io.EOF):
		if !m.ends[k.c.seq] { // it may begin later
			t.Fatalf("%v: the end at record %d, where nobody has closed", k.policy, k.next)
		}
		ctx, cancel := context.WithCancel(background)
		cancel()
		if err := k.c.WaitProducer(ctx); err != nil && (m.p != nil || !errors.Is(err, context.Canceled)) {
			t.Fatalf("%v: waiting for the producer that lives: %v", k.policy, err)
		}
	case errors.As(err, &over):
		if over.From != k.next || over.Lost != over.To-over.From+1 || over.To > last {
			t.Fatalf("%v: %v, due was %d, committed are %d", k.policy, err, k.next, last)
		}
		if k.policy.Gates() && over.From > 1 && k.c.Stats().Received > 0 {
			t.Fatalf("%v: %v", k.policy, err)
		}
		for _, u := range m.consumers {
			if u.policy.kind == kindReliable && k.policy == Lossy && u.c.given <= over.From {
				t.Fatalf("%v, which a reliable consumer still holds", err)
			}
		}
		k.next, k.held = over.To+1, 0
	case errors.Is(err, ErrEvicted):
		if !k.evicted {
			t.Fatalf("%v: %v, and the ring does not say so", k.policy, err)
		}
	default:
		t.Fatalf("%v: %v", k.policy, err)
	}
	return false
}

func (m *machine) Leave(t *rapid.T) {
	k := m.any(t)
	ok(t, k.c.Close())
	m.drop(k)
}

func (m *machine) KillConsumer(t *rapid.T) {
	k := m.any(t)
	k.c.unwatch()
	dieConsumer(m.r, k.c)
	m.drop(k)
}

func (m *machine) drop(k *customer) {
	for i := range m.consumers {
		if m.consumers[i] == k {
			m.consumers = append(m.consumers[:i], m.consumers[i+1:]...)
			return
		}
	}
}

// Check is called after every action.
func (m *machine) Check(t *rapid.T) {
	s, err := m.r.Stats()
	ok(t, err)
	if s.Producer.Alive != (m.p != nil) || s.Producer.Published != uint64(len(m.committed)) || s.Ended != (m.p == nil && m.ended) {
		t.Fatalf("%+v: want %d published, alive %v, ended %v", s.Producer, len(m.committed), m.p != nil, m.ended)
	}
	for _, k := range m.consumers {
		if st := k.c.Stats(); st.Lost+st.Received > uint64(len(m.committed)) {
			t.Fatalf("%+v of %d", st, len(m.committed))
		}
	}
}

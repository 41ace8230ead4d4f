package fuzz

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/internal/mutate"
	"github.com/carousel-ipc/carousel/ring"
)

// The language: each operation is a byte, and takes what it needs from the
// bytes behind it. Every string of bytes is a script.

type kind byte

const (
	stage   kind = iota // a record: size, type and flags
	commit              // all that is staged
	abort               // all that is staged
	join                // consumer k: policy, start
	leave               // consumer k
	next                // consumer k views some and releases them
	read                // consumer k copies some
	run                 // consumer k views a stretch and releases a part of it
	message             // publish a chain
	restart             // close the producer, and another comes
	crash               // all processes die; what is left is attached anew
	look                // at statistics
	kinds
)

var names = [kinds]string{"stage", "commit", "abort", "join", "leave", "next", "read", "run", "message", "restart", "crash", "look"}

type op struct {
	kind
	k       int // consumer
	a, b, c int
}

func (o op) String() string { return fmt.Sprintf("%s %d %d %d %d", names[o.kind], o.k, o.a, o.b, o.c) }

const maxOps = 300

func parse(b []byte) (ops []op) {
	take := func() int {
		if len(b) == 0 {
			return 0
		}
		n := int(b[0])
		b = b[1:]
		return n
	}
	for len(b) > 0 && len(ops) < maxOps {
		first := take()
		o := op{kind: kind(first % int(kinds)), k: first / int(kinds) % consumers}
		switch o.kind {
		case stage, join, message:
			o.a, o.b = take(), take()
		case next, read, run:
			o.a = take()
		}
		ops = append(ops, o)
	}
	return ops
}

const consumers = 3

var policies = []ring.Policy{ring.Reliable, ring.Lossy, ring.Deadline(time.Hour)}

// FuzzScript: operations of one producer and three consumers, ends of
// processes among them, against a model that is a list.
func FuzzScript(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte("\x00\x10\x01\x01\x03\x00\x01\x05\x09"), false)
	defer futex.Restrict(false, true)() // a membarrier for each Close would take most of the time
	f.Fuzz(func(t *testing.T, b []byte, checksum bool) {
		ops := parse(b)
		w := newWorld(t, checksum)
		defer w.close()
		for i, o := range ops {
			if err := w.do(o); err != nil {
				var script strings.Builder
				for _, o := range ops[:i+1] {
					fmt.Fprintln(&script, o)
				}
				t.Fatalf("%v, after\n%s", err, script.String())
			}
		}
		if err := w.drain(); err != nil {
			t.Fatal(err)
		}
	})
}

// A world is a ring, those who are on it, and what ought to come of it.
type world struct {
	t   testing.TB
	cfg ring.Config
	mem []byte
	r   *ring.Ring
	p   *ring.Producer
	all [consumers]*ring.Consumer
	model
}

func newWorld(t testing.TB, checksum bool) *world {
	w := &world{t: t, cfg: ring.Config{Capacity: ring.MinCapacity, Slots: consumers, Checksum: checksum}}
	n, err := ring.Size(w.cfg)
	must(t, err)
	w.mem = aligned(n)
	w.r, err = ring.Format(w.mem, w.cfg)
	must(t, err)
	w.p, err = w.r.NewProducer()
	must(t, err)
	return w
}

func (w *world) close() {
	for i, c := range w.all {
		if c != nil {
			_ = c.Close()
		}
		w.all[i] = nil
	}
	_ = w.p.Close()
	_ = w.r.Close()
}

func (w *world) do(o op) (err error) {
	c := w.all[o.k]
	switch o.kind {
	case stage:
		n := min(o.a*5, w.r.MaxRecord())
		h := ring.Header{Type: uint16(o.b % 4)}
		b, err := w.p.TryReserveRecord(h, n)
		if errors.Is(err, ring.ErrFull) && w.mayBeFull(w.r.Capacity()) || errors.Is(err, ring.ErrBatchFull) {
			return nil
		}
		if err != nil {
			return err
		}
		copy(b, payload(w.next(), n))
		w.stage(entry{n: n, typ: h.Type})
	case commit:
		w.commit()
		return w.p.Commit()
	case abort:
		w.abort()
		w.p.Abort()
	case join:
		if c != nil {
			return nil
		}
		from := []ring.Start{ring.Latest, ring.Oldest, ring.Sequence(uint64(o.b + 1))}[o.b%3]
		policy := policies[o.a%len(policies)]
		if w.all[o.k], err = w.r.NewConsumer(ring.ConsumerConfig{Policy: policy, From: from, Wait: ring.Block}); err != nil {
			return err
		}
		return w.joined(o.k, policy.Gates(), from, w.all[o.k].Sequence())
	case leave:
		if c == nil {
			return nil
		}
		w.all[o.k] = nil
		w.left(o.k)
		return c.Close()
	case next:
		return w.view(o.k, 1+o.a%8)
	case read:
		return w.copies(o.k, 1+o.a%8)
	case run:
		return w.stretch(o.k, 1+o.a*16)
	case message:
		return w.message(o.a*8, uint16(o.b%4))
	case restart:
		w.abort()
		w.closed = append(w.closed, w.next())
		if err := w.p.Close(); err != nil {
			return err
		}
		return w.successor()
	case crash:
		return w.crash()
	case look:
		return w.look()
	}
	return nil
}

func (w *world) successor() (err error) {
	if w.p, err = w.r.NewProducer(); err != nil {
		return err
	}
	w.epoch++
	if got := w.p.Sequence(); got != w.next() {
		return fmt.Errorf("the next producer goes on with record %d, want %d", got, w.next())
	}
	return nil
}

// crash leaves the bytes as they are at this moment and nothing else.
func (w *world) crash() (err error) {
	image := aligned(len(w.mem))
	copy(image, w.mem)
	w.close()
	w.abort()
	for k := range w.all {
		w.left(k)
	}
	w.mem = image
	if w.r, err = ring.Attach(image); err != nil {
		return err
	}
	return w.successor()
}

func (w *world) look() error {
	s, err := w.r.Stats()
	if err != nil {
		return err
	}
	attached := 0
	for _, c := range w.all {
		if c != nil {
			attached++
		}
	}
	alive := 0
	for _, c := range s.Consumers {
		if c.Alive {
			alive++
		}
	}
	if s.Producer.Published != uint64(len(w.committed)) || s.Epoch != w.epoch+1 || alive != attached {
		return fmt.Errorf("statistics tell of %d records, epoch %d, %d consumers; want %d, %d, %d", s.Producer.Published, s.Epoch, alive, len(w.committed), w.epoch+1, attached)
	}
	return nil
}

// message publishes a chain, without a wait: only what fits without credit.
func (w *world) message(n int, typ uint16) error {
	if w.staged() > 0 || w.gated() {
		return nil
	}
	b := payload(w.next(), n)
	if err := w.p.WriteChain(background, typ, b); err != nil {
		return err
	}
	most := w.r.MaxRecord()
	for at := 0; at == 0 || at < n; at += most {
		w.stage(entry{n: min(most, n-at), typ: typ, bytes: b[at:min(n, at+most)]})
	}
	w.commit()
	return nil
}

// view views up to n records and gives them back together.
func (w *world) view(k, n int) error {
	c := w.all[k]
	if c == nil {
		return nil
	}
	var seen []seen
	for range n {
		rec, err := c.TryNext()
		if err != nil {
			if len(seen) > 0 && (errors.Is(err, ring.ErrUnreleased) || errors.Is(err, ring.ErrEmpty) || err == io.EOF) {
				break
			}
			return w.ends(k, err)
		}
		seen = append(seen, see(rec))
	}
	if err := c.Release(); err != nil {
		return w.ends(k, err)
	}
	for _, s := range seen {
		if err := w.got(k, s); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) copies(k, n int) error {
	c := w.all[k]
	if c == nil {
		return nil
	}
	for range n {
		rec, err := c.Read(done, nil)
		if err != nil {
			return w.ends(k, err)
		}
		if err := w.got(k, see(rec)); err != nil {
			return err
		}
	}
	return nil
}

// stretch views a run and gives back all of it, or what lies before its second
// record.
func (w *world) stretch(k, most int) error {
	c := w.all[k]
	if c == nil {
		return nil
	}
	run, err := c.TryRun(most)
	if err != nil {
		return w.ends(k, err)
	}
	b := run.Append(nil)
	if err := c.Release(); err != nil {
		return w.ends(k, err)
	}
	for len(b) > 0 {
		rec, n, err := frame.Decode(b, w.r.MaxRecord())
		if err != nil {
			return fmt.Errorf("a run: %w", err)
		}
		if err := w.got(k, see(rec)); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// ends judges an error, and behind the end of a stream goes on with the next
// producer, of whom there always is one.
func (w *world) ends(k int, err error) error {
	if err = w.judge(k, err); err == io.EOF {
		return w.all[k].WaitProducer(done)
	}
	return err
}

// drain reads all that is left.
func (w *world) drain() error {
	for k, c := range w.all {
		for n := 0; c != nil && w.readers[k].at <= uint64(len(w.committed)); n++ {
			if n > len(w.committed)+maxOps {
				return fmt.Errorf("consumer %d stands at %d of %d", k, w.readers[k].at, len(w.committed))
			}
			if err := w.copies(k, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

//go:build explore

package ring

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/futex"
)

// K2. A scene is something that a process does with a ring and dies in, at
// each of its stores to shared memory: the store does not happen any more.
type scene struct {
	name     string
	consumer bool     // it is a consumer that dies
	crew     []Policy // who watches; nil: a lossy and a reliable consumer
	// before is what an earlier producer has left: it was killed, too, and all
	// of it was read, except what idle says.
	before    func(w *play, p *Producer, n int)
	idle      bool
	meanwhile func(w *play, p *Producer, n int) // when the victim, a consumer, says so
	act       func(v *victim)
}

// A victim is the process that dies. What it does before begin it survives.
type victim struct {
	w         *play
	n         int // size of the records
	begin     func()
	meanwhile func()
}

// fading is a context that ends after so many questions.
type fading struct {
	context.Context
	left int
}

func (f *fading) Err() error {
	if f.left--; f.left < 0 {
		return context.Canceled
	}
	return nil
}

func fade(n int) context.Context { return &fading{background, n} }

// restless is a kernel under which nobody sleeps.
type restless struct{ kernelCalls }

func (restless) Wait(*uint32, uint32, time.Duration) error { return futex.ErrTimeout }
func (restless) WaitEither(*uint32, uint32, *uint32, uint32, time.Duration) error {
	return futex.ErrTimeout
}

func producing(name string, act func(v *victim, p *Producer)) scene {
	return scene{name: name, act: func(v *victim) {
		p := v.w.newProducer()
		v.begin()
		act(v, p)
	}}
}

// full publishes until there is no credit.
func full(w *play, p *Producer, n int) {
	for {
		b, err := p.TryReserveRecord(Header{Type: uint16(n)}, n)
		if errors.Is(err, ErrFull) {
			return
		}
		check(err)
		copyIn(b, pattern(p.Sequence()-1, n))
		w.commit(p)
	}
}

// wide is the size of a record that needs a filler somewhere.
func wide(n int) int { return max(n, 40) }

// toWrap publishes, and reads, until the next record needs a filler before it.
func toWrap(w *play, p *Producer, n int) {
	n = wide(n)
	w.publish(p, 0)
	for size := frame.Size(n, p.flags()); ; {
		off := int(p.pos & p.mask)
		if off > 0 && off+size > int(p.capacity) {
			return
		}
		w.publish(p, min(n, int(p.capacity)-off-frame.Size(0, p.flags())))
		w.drain()
	}
}

func scenes() (all []scene) {
	all = append(all,
		producing("publish", func(v *victim, p *Producer) {
			for range 3 {
				v.w.publish(p, v.n)
			}
		}),
		producing("batch", func(v *victim, p *Producer) {
			v.w.publish(p, v.n, v.n/2, 8)
			v.w.stagePayload(p, v.n/3)
			p.Abort()
			v.w.publish(p, 3, v.n/3)
		}),
		scene{name: "takeover", act: func(v *victim) { v.begin(); v.w.publish(v.w.newProducer(), v.n) }},
		producing("close", func(v *victim, p *Producer) { v.w.publish(p, v.n); v.w.end(p) }),
		producing("close and open again", func(v *victim, p *Producer) {
			v.w.publish(p, v.n)
			v.w.end(p)
			v.w.publish(v.w.newProducer(), v.n)
		}),
		producing("drain", func(v *victim, p *Producer) {
			v.w.publish(p, v.n)
			_ = p.Drain(fade(3))
		}),
	)
	filler := producing("filler", func(v *victim, p *Producer) { v.w.publish(p, wide(v.n)); v.w.publish(p, 8) })
	filler.before = toWrap
	fillerInBatch := producing("filler in a batch", func(v *victim, p *Producer) { v.w.publish(p, 0, wide(v.n), v.n/2) })
	fillerInBatch.before = toWrap
	dropped := producing("filler aborted, then a smaller record", func(v *victim, p *Producer) {
		v.w.stagePayload(p, wide(v.n))
		p.Abort()
		v.w.publish(p, 0)
		v.w.publish(p, v.n/2)
	})
	dropped.before = toWrap
	wakes := producing("wake", func(v *victim, p *Producer) { v.w.publish(p, v.n); v.w.publish(p, v.n) })
	wakes.before = func(w *play, p *Producer, n int) {
		w.publish(p, n)
		for _, v := range w.crew {
			store32(v.c.slotWord32(v.c.slot, slotWaiting), 1)
		}
	}
	evicts := producing("evict", func(v *victim, p *Producer) {
		for range 4 {
			v.w.publish(p, v.n)
		}
	})
	evicts.crew, evicts.idle = []Policy{Deadline(1), Lossy}, true
	evicts.before = full
	fullClose := producing("close without credit", func(v *victim, p *Producer) { v.w.end(p) })
	fullClose.before, fullClose.idle = full, true
	waits := producing("wait for credit", func(v *victim, p *Producer) {
		_, err := p.Reserve(fade(3), v.n)
		checkf(errors.Is(err, context.Canceled), "%v", err)
	})
	waits.before, waits.idle = full, true
	laps := producing("in a later lap", func(v *victim, p *Producer) { v.w.publish(p, v.n); v.w.publish(p, v.n, v.n/2) })
	laps.before = func(w *play, p *Producer, n int) {
		for p.pos < 5*p.capacity/2 {
			w.publish(p, n)
			w.drain()
		}
	}
	all = append(all, filler, fillerInBatch, dropped, wakes, evicts, fullClose, waits, laps)

	some := func(w *play, p *Producer, n int) {
		for range 3 {
			w.publish(p, n)
			w.drain()
		}
	}
	for _, policy := range []Policy{Reliable, Lossy, Deadline(time.Hour)} {
		for _, from := range []Start{Latest, Oldest, Sequence(2)} {
			all = append(all, scene{name: fmt.Sprintf("join %v at %v", policy, from), consumer: true, before: some, act: func(v *victim) {
				v.begin()
				v.w.join(ConsumerConfig{Policy: policy, From: from})
			}})
		}
		consuming := func(name string, act func(v *victim, c *witness)) {
			all = append(all, scene{name: fmt.Sprintf("%s, %v", name, policy), consumer: true, before: some, act: func(v *victim) {
				c := v.w.join(ConsumerConfig{Policy: policy, From: Oldest})
				v.begin()
				act(v, c)
			}})
		}
		consuming("read", func(v *victim, c *witness) { v.w.takeSome(c, 2) })
		consuming("view", func(v *victim, c *witness) { c.views = 1; v.w.takeSome(c, 2) })
		consuming("leave", func(v *victim, c *witness) { v.w.takeSome(c, 1); check(c.c.Close()) })
		consuming("sleep", func(v *victim, c *witness) {
			v.w.takeSome(c, 3)
			_, err := c.c.Next(fade(3))
			checkf(errors.Is(err, context.Canceled), "%v", err)
		})
	}
	lap := func(w *play, p *Producer, n int) {
		for end := p.pos + 2*p.capacity; p.pos < end; {
			w.publish(p, n)
			w.drain()
		}
	}
	all = append(all,
		scene{name: "resynchronise", consumer: true, before: some, meanwhile: lap, act: func(v *victim) {
			c := v.w.join(ConsumerConfig{Policy: Lossy})
			v.meanwhile()
			v.begin()
			_, err := c.c.Read(never, nil)
			checkf(errors.Is(err, ErrOverrun), "%v", err)
			_, err = c.c.Read(never, nil)
			check(err)
		}},
		scene{name: "evicted", consumer: true, before: some, meanwhile: lap, act: func(v *victim) {
			c := v.w.join(ConsumerConfig{Policy: Deadline(1)})
			v.meanwhile()
			v.begin()
			_, err := c.c.Read(never, nil)
			checkf(errors.Is(err, ErrEvicted), "%v", err)
			check(c.c.Close())
			v.w.join(ConsumerConfig{})
		}},
	)
	return all
}

// takeSome takes up to n records of those that are there.
func (w *play) takeSome(v *witness, n int) {
	for ; n > 0 && v.next <= w.acked; n-- {
		w.take(v)
	}
}

// drain lets the crew read what there is.
func (w *play) drain() {
	for _, v := range w.crew {
		v.ctx = never
		for n := 0; v.end == nil && v.next <= w.acked; n++ {
			checkf(n < 10000, "%v consumer comes no further than record %d of %d", v.c.policy, v.next-1, w.acked)
			w.take(v)
		}
	}
}

// aftermath checks everything that was promised for a ring on which somebody
// has died. p is its producer, nil: that is who died.
func (w *play) aftermath(p *Producer) {
	if p == nil {
		p = w.newProducer()
	}
	w.heirs = true
	w.drain()
	for _, policy := range []Policy{Reliable, Lossy} {
		v := w.join(ConsumerConfig{Policy: policy})
		checkf(v.next == w.acked+1, "joined at the latest at %d, want %d", v.next, w.acked+1)
		w.publish(p, 40)
		w.publish(p, 40)
		w.drain()
		check(v.c.Close())
		w.crew = w.crew[:len(w.crew)-1]
	}
	newcomers := func() {
		for _, policy := range []Policy{Reliable, Lossy, Deadline(time.Hour)} {
			v := w.join(ConsumerConfig{Policy: policy, From: Oldest})
			w.crew = w.crew[:len(w.crew)-1]
			v.ctx = never
			for v.next <= w.acked {
				w.take(v)
			}
			checkf(v.lost == 0, "%v newcomer lost %d", policy, v.lost)
			check(v.c.Close())
		}
	}
	newcomers()
	most := w.r.MaxRecord()
	for round, end := 0, p.pos+2*p.capacity; p.pos < end; round++ {
		if round%7 == 3 {
			w.publish(p, round, most/5, 2*round)
		} else {
			w.publish(p, (round*397)%(most/2))
		}
		w.drain()
		if round%9 == 5 {
			newcomers()
		}
	}
	check(p.Close())
	w.ends[p.Sequence()] = true
	w.heirs = false
	for _, v := range w.crew {
		for v.end == nil {
			w.take(v)
		}
		gates := v.c.policy.kind == kindReliable
		checkf(!gates || errors.Is(v.end, io.EOF), "%v consumer ended with %v", v.c.policy, v.end)
		checkf(!gates || v.received == w.acked, "%v consumer has %d of %d", v.c.policy, v.received, w.acked)
		checkf(errors.Is(v.end, ErrEvicted) || v.received+v.lost == w.acked, "%v consumer has %d and lost %d of %d", v.c.policy, v.received, v.lost, w.acked)
		check(v.c.Close())
	}
	_, err := p.Reserve(never, 1)
	checkf(errors.Is(err, os.ErrClosed), "%v", err)
}

// prepare brings the ring to where the victim begins, and returns the producer
// that lives on: nil if it is the producer that dies.
func (w *play) prepare(s scene, n int) *Producer {
	crew := s.crew
	if crew == nil {
		crew = []Policy{Lossy, Reliable} // what the second still holds, the first cannot lose
	}
	for _, policy := range crew {
		w.join(ConsumerConfig{Policy: policy, From: Oldest})
	}
	p := w.newProducer()
	if s.before != nil {
		s.before(w, p, n)
	}
	if !s.idle {
		w.drain()
	}
	if s.consumer {
		return p
	}
	// It goes as by a kill: the lock, and nothing else.
	p.unwatch()
	check(p.unlock())
	w.heir = p
	return nil
}

//go:build explore

package ring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/carousel-ipc/carousel/frame"
)

// A play is what the scripts of the scheduler are made of: a producer that
// notes what it has promised, consumers that hold it to that.
type play struct {
	*world
	r             *Ring
	acked, flight uint64          // records that Commit has returned for; the last that may be committed
	died          uint64          // how many were acknowledged at the last death
	ends          map[uint64]bool // sequences at which a producer has ended, or tried to
	heirs         bool            // after each death and each end another producer comes
	finished      bool            // the last producer ends
	heir          *Producer       // the one that had gone before the victim came
	crew          []*witness
	hasty         bool         // publishes what there is room for
	jot           func()       // notes acked and flight for others
	finally       func() error // more to check at the end
}

// check panics with an error that ends the run.
func check(err error) {
	if err != nil {
		panic(wrong{err})
	}
}

func checkf(ok bool, format string, args ...any) {
	if !ok {
		panic(wrong{fmt.Errorf(format, args...)})
	}
}

func (w *play) newProducer() *Producer {
	p, err := w.r.NewProducer(ProducerConfig{Wait: Block, Label: "it"})
	check(err)
	w.locks = append(w.locks, &p.alarm.mu)
	first := p.Sequence()
	checkf(first-1 == w.acked || first-1 == w.flight, "goes on at %d, acknowledged were %d, in flight up to %d", first, w.acked, w.flight)
	w.acked, w.flight = first-1, first-1
	return p
}

// producer adds a part that takes the ring over.
func (w *play) producer(name string, body func(p *Producer)) *part {
	return w.start(name, func() { body(w.newProducer()) })
}

// publish commits a batch of records of these sizes.
func (w *play) publish(p *Producer, sizes ...int) {
	for _, n := range sizes {
		if !w.stagePayload(p, n) {
			break
		}
	}
	w.commit(p)
}

// stagePayload reserves and fills a record; false: it has no room and the play
// is one that does not wait.
func (w *play) stagePayload(p *Producer, n int) bool {
	seq, h := p.Sequence(), Header{Type: uint16(n)}
	var b []byte
	var err error
	if w.hasty {
		b, err = p.TryReserveRecord(h, n)
	} else {
		b, err = p.ReserveRecord(background, h, n)
	}
	if w.hasty && (errors.Is(err, ErrFull) || errors.Is(err, ErrBatchFull)) {
		return false
	}
	check(err)
	copyIn(b, pattern(seq, n))
	return true
}

func (w *play) commit(p *Producer) {
	w.flight = p.Sequence() - 1
	w.jotted()
	check(p.Commit())
	w.acked = w.flight
	w.jotted()
}

func (w *play) jotted() {
	if w.jot != nil {
		w.jot()
	}
}

// end closes the producer. A call that is in flight is ended.
func (w *play) end(p *Producer) {
	w.ends[p.Sequence()] = true
	check(p.Close())
}

// mourned lets a mortal part die as its process would: its locks go.
func (w *play) mourned(p *part, then func()) {
	p.mortal, w.frugal = true, true
	w.kills++
	p.died = func() {
		w.died = w.acked
		w.dropProducer()
		if then != nil {
			then()
		}
	}
}

// A witness is a consumer that checks what it is told.
type witness struct {
	c        *Consumer
	next     uint64 // sequence that is due
	from     uint64 // where it began
	received uint64
	lost     uint64
	end      error  // why it stopped
	least    uint64 // no eviction names a cursor below it
	idle     bool   // it may sleep at the end if there is nothing for it
	until    uint64 // the last record that it wants, 0: the end
	views    int    // how many to hold before releasing, 0: it reads
	ctx      context.Context
}

// join adds a consumer to the crew. Nothing that was committed before and
// nothing that comes is missing for it.
func (w *play) join(cfg ConsumerConfig) *witness {
	cfg.Wait = Block
	if cfg.Name == "" {
		cfg.Name = "she"
	}
	before := w.acked
	w.hushed++
	c, err := w.r.NewConsumer(cfg)
	w.hushed--
	check(err)
	w.locks = append(w.locks, &c.bell.mu)
	from := c.Sequence()
	switch cfg.From.kind {
	case startLatest:
		checkf(from > before && from <= w.flight+1, "joined at the latest and begins at %d; acknowledged were %d, in flight up to %d", from, before, w.flight)
	case startSequence:
		from = cfg.From.seq
	}
	v := &witness{c: c, next: from, from: from, ctx: background}
	w.crew = append(w.crew, v)
	return v
}

// consumer adds a part that joins and reads to the end.
func (w *play) consumer(name string, cfg ConsumerConfig, views int) *part {
	return w.start(name, func() {
		v := w.join(cfg)
		v.views = views
		w.follow(v)
	})
}

// follower adds a part that reads to the end as somebody who has joined.
func (w *play) follower(name string, v *witness) *part {
	return w.start(name, func() { w.follow(v) })
}

// listener adds a follower that may sleep at the end, if it has everything.
func (w *play) listener(name string, v *witness) {
	v.idle = true
	w.follower(name, v).idle = true
}

func (w *play) follow(v *witness) {
	for v.end == nil && (v.until == 0 || v.next <= v.until) {
		w.take(v)
	}
}

// take makes v go one step on.
func (w *play) take(v *witness) {
	var err error
	if v.views == 0 {
		var rec Record
		if rec, err = v.c.Read(v.ctx, nil); err == nil {
			w.accept(v, rec, rec.Payload())
		}
	} else {
		err = w.view(v)
	}
	if err != nil {
		w.told(v, err)
	}
}

// view holds records, copies them, and believes them after Release.
func (w *play) view(v *witness) error {
	var held []Record
	var copies [][]byte
	var end error
	for len(held) < v.views && end == nil {
		var rec Record
		if rec, end = v.c.Next(v.ctx); end == nil {
			b := make([]byte, len(rec.Payload()))
			copyOut(b, rec.Payload())
			held, copies = append(held, rec), append(copies, b)
		}
	}
	if errors.Is(end, ErrOverrun) || errors.Is(end, ErrEvicted) {
		return end // what was held is among the lost
	}
	if err := v.c.Release(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	for i, rec := range held {
		w.accept(v, rec, copies[i])
	}
	if errors.Is(end, ErrUnreleased) && len(held) > 0 {
		return nil
	}
	return end
}

func (w *play) accept(v *witness, rec Record, payload []byte) {
	w.note("has record %d", rec.Sequence)
	checkf(rec.Sequence == v.next, "has record %d, due was %d", rec.Sequence, v.next)
	checkf(rec.Sequence <= w.flight, "has record %d, committed are %d", rec.Sequence, w.flight)
	checkf(int(rec.Type()) == len(payload) && bytes.Equal(payload, pattern(rec.Sequence, len(payload))),
		"record %d is torn: %d bytes, want %d: % x", rec.Sequence, len(payload), rec.Type(), payload)
	v.next++
	v.received++
}

// told takes note of an error, or of the end.
func (w *play) told(v *witness, err error) {
	w.note("is told: %v", err)
	var over *OverrunError
	var evicted *EvictedError
	switch {
	case errors.As(err, &over):
		checkf(over.From == v.next && over.Lost == over.To-over.From+1 && over.To <= w.flight, "%v: due was %d, committed are %d", over, v.next, w.flight)
		checkf(!v.c.policy.Gates() || over.From == v.from, "gates, and lost %v", over)
		for _, u := range w.crew { // while somebody joins, the horizon may be beyond what is overwritten
			checkf(w.current != nil || u.c.policy.kind != kindReliable || u.c.given > over.From, "%v, which a reliable consumer still holds", over)
		}
		v.next = over.To + 1
		v.lost += over.Lost
	case errors.As(err, &evicted):
		checkf(v.c.policy.kind == kindDeadline, "%v, without a deadline", err)
		checkf(evicted.At >= v.least && evicted.At <= v.c.cursor, "%v, and stands at %d", err, v.c.cursor)
		v.end = err
	case errors.Is(err, io.EOF), errors.Is(err, ErrProducerDied):
		if errors.Is(err, io.EOF) {
			checkf(w.ends[v.next], "%v at record %d, where nobody has closed", err, v.next)
		} else {
			checkf(v.next > w.died, "%v at record %d, %d were committed", err, v.next, w.died)
		}
		if !w.heirs || w.finished && v.next == w.acked+1 {
			v.end = err
		} else if err := v.c.WaitProducer(v.ctx); err != nil {
			w.told(v, err)
		}
	case errors.Is(err, context.Canceled), errors.Is(err, os.ErrClosed):
		v.end = err
	default:
		panic(wrong{err})
	}
}

// probe is the end of a script: everybody has what was committed, and whoever
// comes now finds the ring in order.
func (w *play) probe(revisit bool) error {
	for _, v := range w.crew {
		if v.end == nil && v.idle && v.next <= w.acked {
			return fmt.Errorf("%v consumer sleeps, and record %d of %d is there", v.c.policy, v.next, w.acked)
		}
	}
	if w.finally != nil {
		if err := w.finally(); err != nil {
			return err
		}
	}
	for _, v := range w.crew {
		if errors.Is(v.end, io.EOF) && !w.killed && v.next != w.acked+1 {
			return fmt.Errorf("%v consumer ended with record %d of %d", v.c.policy, v.next-1, w.acked)
		}
	}
	if w.stage.producer || !revisit && !w.killed {
		return nil // it lives on, or it is enough to do this for some
	}
	return w.revisit()
}

// revisit takes the ring over once more, reads all that is kept and goes round.
func (w *play) revisit() (err error) {
	defer func() {
		if e := recover(); e != nil {
			x, ok := e.(wrong)
			if !ok {
				panic(e)
			}
			err = fmt.Errorf("afterwards: %w", x.error)
		}
	}()
	for i := range w.slot {
		w.slot[i] = false
	}
	w.crew, w.locks, w.heirs, w.killed = nil, nil, false, false
	p := w.newProducer()
	var kept []*witness
	for i, policy := range []Policy{Reliable, Lossy} {
		if i < w.geo.slots {
			kept = append(kept, w.join(ConsumerConfig{Policy: policy, From: Oldest}))
		}
	}
	room := int(w.geo.capacity / 4)
	for round := range 8 {
		for _, v := range kept {
			for v.next <= w.acked {
				v.ctx = never
				w.take(v)
			}
		}
		w.publish(p, round*room/8, room-frame.HeaderSize-round)
	}
	w.end(p)
	for _, v := range kept {
		v.ctx = never
		w.follow(v)
		checkf(v.next == w.acked+1, "%v consumer ended with record %d of %d", v.c.policy, v.next-1, w.acked)
		checkf(v.lost == 0, "%v consumer lost %d", v.c.policy, v.lost)
	}
	return nil
}

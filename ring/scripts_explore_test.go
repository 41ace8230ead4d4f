//go:build explore

package ring

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// A script is a handful of parts on a ring of a few records.
type script struct {
	name    string
	bound   int // preemptions that are gone through in a short run
	fenced  bool
	eager   bool // the producer takes the fence at its first wake, and gives it back
	marks   bool // Close meets a call in flight
	stage   *stage
	perform func(w *play)
}

const unit = 48 // with its header a quarter of the small stage

func scripts() []script {
	small := func(slots int) *stage { return newStage(256, slots, false) }
	return []script{
		{name: "each record finds the consumer asleep", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			w.start("producer", func() { w.publish(p, 8); w.publish(p, 8) }) // no Close, which would wake
			w.listener("consumer", v)
		}},
		{name: "the same, with a producer that fences", bound: 2, fenced: true, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			w.start("producer", func() { w.publish(p, 8); w.publish(p, 8) }) // no Close, which would wake
			w.listener("consumer", v)
		}},
		{name: "a consumer that may not issue a membarrier", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			w.refused = map[string]bool{"consumer": true}
			v.until = 2
			w.start("producer", func() { w.publish(p, 8); w.publish(p, 8) })
			w.follower("consumer", v)
		}},
		{name: "a producer that takes the fence and gives it back", bound: 2, eager: true, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			w.start("producer", func() {
				w.publish(p, 8)
				w.publish(p, 8)
				if p.chosen {
					p.dropFence()
				}
				w.publish(p, 8)
			}) // no Close, which would wake
			w.listener("consumer", v)
		}},
		{name: "the end finds the consumer asleep", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			w.start("producer", func() { w.publish(p, 8); w.end(p) })
			w.follower("consumer", v)
		}},
		{name: "a ring that is full", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			w.start("producer", func() {
				for range 5 {
					w.publish(p, unit)
				}
				w.end(p)
			})
			w.follower("consumer", v)
		}},
		{name: "a full ring and a consumer that holds views", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			v.views = 4 // one more than the ring has
			w.start("producer", func() {
				for range 5 {
					w.publish(p, unit)
				}
				w.end(p)
			})
			w.follower("consumer", v)
		}},
		{name: "batches and fillers", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			w.start("producer", func() {
				w.publish(p, 16, 40)
				w.publish(p, 100)
				w.publish(p, 60, 30)
				w.end(p)
			})
			w.follower("consumer", v)
		}},
		{name: "a lossy consumer", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{Policy: Lossy})
			w.start("producer", func() {
				for i := range 6 {
					w.publish(p, 8+i*8)
				}
				w.end(p)
			})
			w.follower("consumer", v)
		}},
		{name: "a lossy consumer that holds views", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{Policy: Lossy})
			v.views = 2
			w.start("producer", func() {
				for range 6 {
					w.publish(p, unit)
				}
				w.end(p)
			})
			w.follower("consumer", v)
		}},
		{name: "a consumer with a deadline", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{Policy: Deadline(1)})
			w.publish(p, unit)
			w.take(v)
			v.least = v.c.cursor
			w.start("producer", func() {
				for range 4 {
					w.publish(p, unit)
				}
				w.end(p)
			})
			w.follower("consumer", v)
		}},
		{name: "a reliable consumer joins in full flight", bound: 2, stage: small(1), perform: func(w *play) { joining(w, Reliable, Oldest) }},
		{name: "a reliable consumer joins at the latest", bound: 2, stage: small(1), perform: func(w *play) { joining(w, Reliable, Latest) }},
		{name: "a deadline consumer joins at a sequence", bound: 1, stage: small(1), perform: func(w *play) { joining(w, Deadline(time.Hour), Sequence(3)) }},
		{name: "a lossy consumer joins in full flight", bound: 2, stage: small(1), perform: func(w *play) { joining(w, Lossy, Oldest) }},
		{name: "a consumer joins an idle ring", bound: 2, stage: small(1), perform: func(w *play) {
			p := w.newProducer()
			w.start("producer", func() { w.publish(p, 8); w.publish(p, 8) })
			w.start("consumer", func() {
				v := w.join(ConsumerConfig{From: Sequence(1)})
				v.idle = true
				w.follow(v)
			}).idle = true
		}},
		{name: "the end without credit finds the consumer asleep", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			for range 3 {
				w.publish(p, unit)
			}
			w.publish(p, 16)
			v.views = 5
			w.deaf = true
			w.start("producer", func() { w.end(p) })
			w.follower("consumer", v)
			w.finally = func() error {
				if !errors.Is(v.end, io.EOF) {
					return fmt.Errorf("closed, and the consumer is told: %w", v.end)
				}
				return nil
			}
		}},
		{name: "a consumer in the way leaves, and nobody watches", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			w.deaf = true
			w.start("producer", func() {
				for range 4 {
					w.publish(p, unit)
				}
				w.end(p)
			})
			w.start("consumer", func() { check(v.c.Close()) })
		}},
		{name: "a slot changes hands", bound: 1, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{Policy: Deadline(1)})
			w.start("producer", func() {
				for range 6 {
					w.publish(p, unit)
				}
				w.end(p)
			})
			w.start("consumer", func() {
				w.take(v)
				check(v.c.Close())
				n := w.join(ConsumerConfig{From: Oldest})
				w.follow(n)
			})
		}},
		{name: "two consumers", bound: 1, stage: small(2), perform: func(w *play) {
			w.frugal = true
			p, v, l := w.newProducer(), w.join(ConsumerConfig{}), w.join(ConsumerConfig{Policy: Lossy})
			w.start("producer", func() {
				for range 4 {
					w.publish(p, unit)
				}
				w.end(p)
			})
			w.follower("reliable", v)
			w.follower("lossy", l)
		}},
		{name: "a producer that waits until all have released", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			w.start("producer", func() {
				for range 2 {
					w.publish(p, unit)
					check(p.Drain(background))
					checkf(v.c.cursor >= p.pos, "drained, and the consumer stands at %d of %d", v.c.cursor, p.pos)
				}
				w.end(p)
			})
			w.follower("consumer", v)
		}},
		{name: "a producer waits for a consumer that never does", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			w.publish(p, unit)
			v.until = 1
			w.start("producer", func() { check(p.Drain(background)) })
			w.follower("consumer", v)
		}},
		{name: "the consumer's wait is cancelled", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			ctx := &cancelled{Context: background}
			v.ctx = ctx
			w.start("producer", func() { w.publish(p, 8) })
			w.follower("consumer", v)
			w.start("cancel", func() { ctx.err = context.Canceled; v.c.bell.ring() })
		}},
		{name: "the producer's wait is cancelled", bound: 2, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			ctx := &cancelled{Context: background}
			w.start("producer", func() {
				for {
					b, err := p.ReserveRecord(ctx, Header{Type: unit}, unit)
					if err != nil {
						checkf(errors.Is(err, context.Canceled), "%v", err)
						break
					}
					copyIn(b, pattern(p.seq-1, unit))
					w.commit(p)
				}
			})
			w.start("consumer", func() { w.take(v) })
			w.start("cancel", func() { ctx.err = context.Canceled; p.alarm.ring() })
		}},
		{name: "the consumer is closed in a call", bound: 2, marks: true, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			w.start("producer", func() { w.publish(p, 8) })
			w.follower("consumer", v)
			w.start("close", func() { check(v.c.Close()) })
		}},
		{name: "the producer is closed in a call", bound: 2, marks: true, stage: small(1), perform: func(w *play) {
			p := w.newProducer()
			w.join(ConsumerConfig{})
			w.start("producer", func() {
				for {
					b, err := p.ReserveRecord(background, Header{Type: unit}, unit)
					if err != nil {
						checkf(errors.Is(err, os.ErrClosed), "%v", err)
						break
					}
					copyIn(b, pattern(p.seq-1, unit))
					w.flight = p.seq - 1
					if err := p.Commit(); err != nil {
						checkf(errors.Is(err, os.ErrClosed), "%v", err)
						w.flight = w.acked
						break
					}
					w.acked = w.flight
				}
			})
			w.start("close", func() { check(p.Close()) })
		}},
		{name: "the end, and another producer", bound: 1, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			w.heirs = true
			w.start("producer", func() {
				w.publish(p, 8)
				w.end(p)
				p := w.newProducer()
				w.publish(p, unit)
				w.finished = true
				w.end(p)
			})
			w.follower("consumer", v)
		}},
		{name: "the producer is killed", bound: 1, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			w.mourned(w.start("producer", func() { w.publish(p, 8); w.publish(p, 60, 60); w.publish(p, 60); w.end(p) }), nil)
			w.follower("consumer", v)
		}},
		{name: "the producer is killed and succeeded", bound: 1, stage: small(1), perform: func(w *play) { succession(w) }},
		{name: "the producer is killed and succeeded, and nobody watches", bound: 1, stage: small(1), perform: func(w *play) {
			w.deaf = true
			succession(w)
		}},
		{name: "the producer is killed, and its successor has nothing to say", bound: 1, stage: small(1), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			w.deaf, w.heirs = true, true
			w.mourned(w.start("producer", func() { w.publish(p, 8) }), func() {
				w.producer("successor", func(p *Producer) {})
			})
			w.listener("consumer", v)
		}},
		{name: "the only consumer is killed", bound: 1, stage: small(1), perform: func(w *play) {
			p := w.newProducer()
			dying := w.start("victim", func() { w.follow(w.join(ConsumerConfig{From: Oldest})) })
			w.mourned(dying, nil)
			dying.died = func() { w.slot[0] = true; w.dropSlot(0) }
			w.publish(p, unit)
			w.publish(p, unit)
			w.start("producer", func() { w.publish(p, unit); w.publish(p, unit); w.end(p) })
		}},
		{name: "a consumer is killed", bound: 1, stage: small(2), perform: func(w *play) {
			p, v := w.newProducer(), w.join(ConsumerConfig{})
			dying := w.start("victim", func() { w.follow(w.join(ConsumerConfig{From: Oldest})) })
			w.mourned(dying, nil)
			dying.died = func() {
				for i := range w.slot {
					if w.slot[i] && i != v.c.slot {
						w.dropSlot(i)
					}
				}
			}
			w.publish(p, unit)
			w.publish(p, unit)
			w.start("producer", func() { w.publish(p, unit); w.publish(p, unit); w.end(p) })
			w.follower("survivor", v)
		}},
	}
}

// joining: a consumer joins while the ring goes round.
func joining(w *play, policy Policy, from Start) {
	p := w.newProducer()
	for range 3 {
		w.publish(p, unit)
	}
	w.start("producer", func() {
		for range 3 {
			w.publish(p, unit)
		}
		w.end(p)
	})
	w.consumer("consumer", ConsumerConfig{Policy: policy, From: from}, 0)
}

// succession: whoever dies is followed by a producer that ends the stream.
func succession(w *play) {
	p, v := w.newProducer(), w.join(ConsumerConfig{})
	w.heirs = true
	next := func() {
		w.producer("successor", func(p *Producer) {
			w.publish(p, 24)
			w.finished = true
			w.end(p)
		})
	}
	w.mourned(w.start("producer", func() {
		w.publish(p, 8)
		w.publish(p, 60, 60)
		w.finished = true
		w.end(p)
	}), func() { w.finished = false; next() })
	w.follower("consumer", v)
}

// cancelled is a context whose end is a part of the script.
type cancelled struct {
	context.Context
	err error
}

func (c *cancelled) Err() error { return c.err }

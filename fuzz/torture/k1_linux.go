package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carousel-ipc/carousel/internal/monotonic"
	"github.com/carousel-ipc/carousel/ring"
)

// Words of the notepad of a producer that is killed.
const (
	noteFlight = iota // last record that it is about to commit
	noteAcked         // last record of which Commit has returned
)

// publishRole publishes without end and notes what was acknowledged.
func publishRole(args []string) error {
	var seed uint64
	if _, err := fmt.Sscan(args[2], &seed); err != nil {
		return err
	}
	r, err := ring.Create(args[0], ring.Config{})
	if err != nil {
		return err
	}
	notes, err := openNotepad(args[1])
	if err != nil {
		return err
	}
	p, err := r.NewProducer()
	if err != nil {
		return err
	}
	flight, acked := notes.word(noteFlight), notes.word(noteAcked)
	rng := rand.New(rand.NewPCG(seed, 1))
	for {
		n := 1 + rng.IntN(5)
		for range n {
			seq := p.Sequence()
			b, err := p.Reserve(background, sizeOf(seq))
			if err != nil {
				return err
			}
			fill(b, seq)
		}
		flight.Store(p.Sequence() - 1)
		if err := p.Commit(); err != nil {
			return err
		}
		acked.Store(p.Sequence() - 1)
		if rng.IntN(200) == 0 {
			time.Sleep(time.Duration(rng.IntN(300)) * time.Microsecond)
		}
	}
}

// witness reads all that comes, over the deaths of producers, and says how far
// it is and when it last heard of a death.
type witness struct {
	last    atomic.Uint64 // record, received or told as lost
	lost    uint64
	deaths  atomic.Int64
	heardAt atomic.Int64
	failure error
	ended   chan struct{}
	stop    context.CancelFunc
}

func newWitness(r *ring.Ring, cfg ring.ConsumerConfig) (*witness, error) {
	c, err := r.NewConsumer(cfg)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(background)
	w := &witness{ended: make(chan struct{}), stop: stop}
	w.last.Store(c.Sequence() - 1)
	go func() {
		defer close(w.ended)
		err := w.read(ctx, c)
		if !errors.Is(err, context.Canceled) && !errors.Is(err, io.EOF) {
			w.failure = err
		}
		if err := c.Close(); err != nil {
			w.failure = errors.Join(w.failure, err)
		}
	}()
	return w, nil
}

func (w *witness) read(ctx context.Context, c *ring.Consumer) error {
	var buf []byte
	var is checker
	for {
		rec, err := c.Read(ctx, buf)
		over, lost := errors.AsType[*ring.OverrunError](err)
		next := w.last.Load() + 1
		switch {
		case errors.Is(err, ring.ErrProducerDied):
			w.heardAt.Store(monotonic.Now())
			w.deaths.Add(1)
			if err := c.WaitProducer(ctx); err != nil {
				return err
			}
		case lost && c.Policy() == ring.Lossy:
			if over.From != next || over.To < over.From || over.Lost != over.To-over.From+1 {
				return fmt.Errorf("told of the loss of %d to %d, %d records, want from %d", over.From, over.To, over.Lost, next)
			}
			w.lost += over.Lost
			w.last.Store(over.To)
		case err != nil:
			return fmt.Errorf("record %d: %w", next, err)
		case rec.Sequence != next:
			return fmt.Errorf("record %d, want %d", rec.Sequence, next)
		default:
			if err := is.check(rec); err != nil {
				return err
			}
			buf = rec.Payload()
			w.last.Store(next)
		}
	}
}

// end stops it and returns what it had to complain of.
func (w *witness) end() error {
	w.stop()
	<-w.ended
	return w.failure
}

func (w *witness) alive() error {
	select {
	case <-w.ended:
		return fmt.Errorf("a consumer has ended: %w", w.failure)
	default:
		return nil
	}
}

// K1.
func killProducers(t *tally) (err error) {
	name := prefix() + "k1"
	r, err := ring.Create(name, ring.Config{Capacity: 1 << 16})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close(), ring.Remove(name)) }()
	notes, err := newNotepad()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, notes.remove()) }()
	var all []*witness
	defer func() {
		var wg sync.WaitGroup
		for i, w := range all {
			wg.Go(func() {
				if e := w.end(); e != nil {
					t.fail("consumer %d: %v", i, e)
				}
			})
		}
		wg.Wait()
	}()
	for _, cfg := range []ring.ConsumerConfig{
		{Name: "adaptive"}, {Name: "block", Wait: ring.Block},
		{Name: "deadline", Policy: ring.Deadline(time.Hour)}, {Name: "lossy", Policy: ring.Lossy},
	} {
		w, err := newWitness(r, cfg)
		if err != nil {
			return err
		}
		all = append(all, w)
	}
	for t.trial() {
		epoch := r.Epoch()
		p, err := startChild("publish", name, notes.path, fmt.Sprint(t.rng.Uint64()))
		if err != nil {
			return err
		}
		if t.rng.IntN(8) > 0 { // else while it starts, perhaps
			before := notes.word(noteAcked).Load()
			if err := await("the new producer's records", func() bool {
				return r.Epoch() > epoch && notes.word(noteAcked).Load() > before || p.stderr.String() != ""
			}); err != nil {
				return errors.Join(err, all[0].alive())
			}
		}
		time.Sleep(time.Duration(t.rng.IntN(4000)) * time.Microsecond)
		var heard [4]int64
		for i, w := range all {
			heard[i] = w.deaths.Load()
		}
		p.kill()
		at := monotonic.Now() // it has died: before that the kernel tells nobody
		if said := p.stderr.String(); said != "" {
			t.fail("the producer: %s", said)
		}
		acked, flight := notes.word(noteAcked).Load(), notes.word(noteFlight).Load()
		for i, w := range all {
			if err := await(fmt.Sprintf("consumer %d to have record %d and to hear of the death", i, acked), func() bool {
				return w.last.Load() >= acked && (r.Epoch() == epoch || w.deaths.Load() > heard[i]) || w.alive() != nil
			}); err != nil {
				return err
			}
			if err := w.alive(); err != nil {
				return err
			}
			if r.Epoch() > epoch {
				t.delayed(at, max(w.heardAt.Load(), at), fmt.Sprintf("to tell consumer %d of the death", i))
			}
			if got := w.last.Load(); got > max(flight, acked) || got != all[0].last.Load() {
				t.fail("consumer %d has %d records; acknowledged %d, in flight %d, consumer 0 %d", i, got, acked, flight, all[0].last.Load())
			}
		}
	}
	t.note("%d records, %d of them told as lost to the lossy consumer", all[0].last.Load(), all[3].lost)
	return nil
}

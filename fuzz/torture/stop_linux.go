package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"syscall"
	"time"

	"github.com/carousel-ipc/carousel/internal/monotonic"
	"github.com/carousel-ipc/carousel/ring"
)

// stoppedRole reads with a policy, is stopped and continued, and says in the
// end what it got, or how it was evicted.
func stoppedRole(args []string) error {
	policy, err := ring.ParsePolicy(args[1])
	if err != nil {
		return err
	}
	r, err := ring.Open(args[0])
	if err != nil {
		return err
	}
	c, err := r.NewConsumer(ring.ConsumerConfig{Policy: policy})
	if err != nil {
		return err
	}
	next := c.Sequence()
	fmt.Println(next)
	var is checker
	var buf []byte
	var received, lost uint64
	for {
		rec, err := c.Read(background, buf)
		over, overrun := errors.AsType[*ring.OverrunError](err)
		switch {
		case overrun:
			if over.From != next || over.Lost != over.To-over.From+1 {
				return fmt.Errorf("told of %d to %d, %d records, want from %d", over.From, over.To, over.Lost, next)
			}
			lost += over.Lost
			next = over.To + 1
		case errors.Is(err, ring.ErrEvicted):
			fmt.Println("evicted:", err)
			return nil
		case err == io.EOF:
			fmt.Println(received, lost, next)
			return c.Close()
		case err != nil:
			return err
		case rec.Sequence != next:
			return fmt.Errorf("record %d, want %d", rec.Sequence, next)
		default:
			if err := is.check(rec); err != nil {
				return err
			}
			buf = rec.Payload()
			received++
			next++
		}
	}
}

// stopOne starts a ring with a flow on it and a child that reads with policy.
func stopOne(t *tally, policy string, trial func(name string, r *ring.Ring, f *flow, c *child, first uint64) error) (err error) {
	for t.trial() {
		name := fmt.Sprintf("%s%s-%d", prefix(), t.id, t.trials)
		r, err := ring.Create(name, ring.Config{Capacity: 1 << 15, Slots: 4})
		if err != nil {
			return err
		}
		f, err := startFlow(r)
		if err != nil {
			return err
		}
		c, err := startChild("stopped", name, policy)
		if err != nil {
			return err
		}
		line, err := c.hear()
		var first uint64
		if err == nil {
			first, err = strconv.ParseUint(line, 10, 64)
		}
		if err == nil {
			time.Sleep(time.Duration(t.rng.IntN(4000)) * time.Microsecond)
			err = c.signal(syscall.SIGSTOP)
		}
		from := monotonic.Now()
		if err == nil {
			err = trial(name, r, f, c, first)
		}
		// Whoever stopped all of us made the one go on, too, that we had stopped.
		if err != nil {
			t.controls.caughtUp()
		}
		if err != nil && t.controls.stalled(from, monotonic.Now()) > time.Second {
			t.note("trial %d is void: all stood still: %v", t.trials, err)
			err = nil
		}
		if err != nil {
			seen, _ := r.Stats()
			c.kill()
			err = errors.Join(err, f.close())
			t.fail("%v; %+v", err, seen)
		}
		c.kill()
		_ = f.close()
		if err := errors.Join(r.Close(), ring.Remove(name)); err != nil {
			return err
		}
	}
	return nil
}

// S1.
func stopLossy(t *tally) error {
	var all uint64
	defer func() { t.note("%d records told as lost", all) }()
	return stopOne(t, "lossy", func(name string, r *ring.Ring, f *flow, c *child, first uint64) error {
		time.Sleep(time.Duration(1+t.rng.IntN(10)) * time.Millisecond)
		if err := c.signal(syscall.SIGCONT); err != nil {
			return err
		}
		time.Sleep(time.Duration(t.rng.IntN(3)) * time.Millisecond)
		if err := f.close(); err != nil {
			return err
		}
		s, err := r.Stats()
		if err != nil {
			return err
		}
		if s.Producer.CreditWaits > 0 {
			t.fail("the producer waited %d times, for a lossy consumer", s.Producer.CreditWaits)
		}
		line, err := c.hear()
		if err != nil {
			return err
		}
		var received, lost, next uint64
		if _, err := fmt.Sscan(line, &received, &lost, &next); err != nil {
			return err
		}
		if received+lost != s.Producer.Published+1-first || next != s.Producer.Published+1 {
			t.fail("received %d, lost %d, next %d; want all from %d to %d", received, lost, next, first, s.Producer.Published)
		}
		all += lost
		return nil
	})
}

// deadline is D.
const deadline = 30 * time.Millisecond

// S2.
func stopDeadline(t *tally) error {
	return stopOne(t, "deadline="+deadline.String(), func(name string, r *ring.Ring, f *flow, c *child, first uint64) error {
		other, err := newWitness(r, ring.ConsumerConfig{Wait: ring.Block})
		if err != nil {
			return err
		}
		defer func() {
			if err := other.end(); err != nil {
				t.fail("the other consumer: %v", err)
			}
		}()
		if err := await("the eviction", func() bool { s, err := r.Stats(); return err == nil && s.Producer.Evictions == 1 }); err != nil {
			return err
		}
		var s span
		if err := await("the publish that waited", func() bool { s = f.longest(); return s.to > 0 }); err != nil {
			return err
		}
		if took := time.Duration(s.to - s.from); took < deadline {
			t.fail("evicted after %v, want not before %v", took, deadline)
		}
		t.delayed(s.from+int64(deadline), s.to, "the eviction, beyond its deadline")
		seq := other.last.Load()
		if err := await("the others to go on", func() bool { return other.last.Load() > seq+1000 || other.alive() != nil }); err != nil {
			return err
		}
		if err := c.signal(syscall.SIGCONT); err != nil {
			return err
		}
		line, err := c.hear()
		if err == nil && (len(line) < 8 || line[:8] != "evicted:") {
			err = fmt.Errorf("the stopped one says %q, want that it was evicted", line)
		}
		return err
	})
}

// longest is the call that took longest, once one has taken as long as a
// deadline does.
func (f *flow) longest() (s span) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, call := range f.slow {
		if call.to-call.from > s.to-s.from && call.to-call.from >= int64(deadline) {
			s = call
		}
	}
	return s
}

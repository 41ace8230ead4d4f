package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carousel-ipc/carousel/internal/monotonic"
	"github.com/carousel-ipc/carousel/ring"
)

// holdRole attaches and reads: to be in the producer's way it stops at a
// record, on which it then sits.
func holdRole(args []string) error {
	sit, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	r, err := ring.Open(args[0])
	if err != nil {
		return err
	}
	c, err := r.NewConsumer(ring.ConsumerConfig{})
	if err != nil {
		return err
	}
	fmt.Println("joined")
	for i := 0; ; i++ {
		if i == sit {
			select {}
		}
		if _, err := c.Next(background); err != nil {
			return err
		}
		if i%64 == 0 {
			if err := c.Release(); err != nil {
				return err
			}
		}
	}
}

// flow publishes without end, and knows which calls took long.
type flow struct {
	p       *ring.Producer
	stop    atomic.Bool
	ended   chan struct{}
	failure error

	mu   sync.Mutex
	slow []span
}

func startFlow(r *ring.Ring) (*flow, error) {
	p, err := r.NewProducer()
	if err != nil {
		return nil, err
	}
	f := &flow{p: p, ended: make(chan struct{})}
	go func() {
		defer close(f.ended)
		for !f.stop.Load() {
			from := monotonic.Now()
			if f.failure = publish(p, 3); f.failure != nil {
				return
			}
			if to := monotonic.Now(); to-from > int64(time.Millisecond) {
				f.mu.Lock()
				f.slow = append(f.slow, span{from, to})
				f.mu.Unlock()
			}
		}
	}()
	return f, nil
}

// slowest is the call that went on longest after a moment.
func (f *flow) slowest(after int64) (s span) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s = span{after, after}
	for _, call := range f.slow {
		if from := max(call.from, after); call.to-from > s.to-s.from {
			s = span{from, call.to}
		}
	}
	f.slow = f.slow[:0]
	return s
}

func (f *flow) close() error {
	f.stop.Store(true)
	<-f.ended
	return errors.Join(f.failure, f.p.Close())
}

func attached(r *ring.Ring) (n int) {
	s, err := r.Stats()
	if err != nil {
		return -1
	}
	for _, c := range s.Consumers {
		if c.Alive {
			n++
		}
	}
	return n
}

// K3.
func killConsumers(t *tally) (err error) {
	name := prefix() + "k3"
	before := holdings()
	r, err := ring.Create(name, ring.Config{Capacity: 1 << 16, Slots: 3})
	if err != nil {
		return err
	}
	survivor, err := newWitness(r, ring.ConsumerConfig{Name: "survivor", Wait: ring.Block})
	if err != nil {
		return err
	}
	f, err := startFlow(r)
	if err != nil {
		return err
	}
	for t.trial() {
		sit := -1
		if t.rng.IntN(2) == 0 {
			sit = t.rng.IntN(2000)
		}
		c, err := startChild("hold", name, strconv.Itoa(sit))
		if err != nil {
			return err
		}
		if err := c.expect("joined"); err != nil {
			return err
		}
		time.Sleep(time.Duration(t.rng.IntN(3000)) * time.Microsecond)
		c.kill()
		at := monotonic.Now() // it has died: before that the kernel tells nobody
		if err := await("the dead to be no more", func() bool { return attached(r) == 1 }); err != nil {
			return err
		}
		seq := survivor.last.Load()
		if err := await("the survivor's records", func() bool { return survivor.last.Load() > seq+1000 || survivor.alive() != nil }); err != nil {
			return err
		}
		if err := survivor.alive(); err != nil {
			return err
		}
		s := f.slowest(at)
		t.delayed(s.from, s.to, "the producer's wait after a kill")
	}
	t.note("%d records", survivor.last.Load())
	err = errors.Join(f.close(), survivor.end(), r.Close(), ring.Remove(name))
	if err != nil {
		t.fail("at the end: %v", err)
	}
	return before.flat(t)
}

// held is what this process has of what can leak.
type held struct{ descriptors, mappings, goroutines int }

func holdings() held {
	fds, _ := os.ReadDir("/proc/self/fd")
	maps, _ := os.ReadFile("/proc/self/maps")
	return held{len(fds), bytes.Count(maps, []byte("carousel-torture")), runtime.NumGoroutine()}
}

// flat fails unless everything is given back.
func (before held) flat(t *tally) error {
	var now held
	err := await("resources to be given back", func() bool {
		now = holdings()
		return now.descriptors <= before.descriptors && now.mappings <= before.mappings && now.goroutines <= before.goroutines
	})
	if err != nil {
		t.fail("%+v before, %+v after", before, now)
	}
	return nil
}

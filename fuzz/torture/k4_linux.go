package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"github.com/carousel-ipc/carousel/internal/monotonic"
	"github.com/carousel-ipc/carousel/ring"
)

const starters = 32

// startRole does what a program does that finds a ring or makes it: it becomes
// the producer if there is none, else a consumer. Some remove the name besides,
// whenever they may.
func startRole(args []string) error {
	name, removes := args[0], args[1] == "true"
	var seed uint64
	if _, err := fmt.Sscan(args[2], &seed); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(seed, 4))
	said := false
	for {
		if removes && rng.IntN(4) == 0 {
			err := ring.Remove(name)
			if err != nil && !errors.Is(err, ring.ErrProducerLive) && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove: %w", err)
			}
		}
		r, err := ring.Create(name, ring.Config{Capacity: 1 << 14, Slots: 2 * starters})
		if err != nil {
			return fmt.Errorf("create: %w", err)
		}
		if !said {
			fmt.Println("up")
			said = true
		}
		p, err := r.NewProducer()
		switch {
		case err == nil:
			for range 1 + rng.IntN(400) {
				if err := publish(p, 1+rng.IntN(4)); err != nil {
					return fmt.Errorf("publish: %w", err)
				}
				time.Sleep(time.Duration(rng.IntN(100)) * time.Microsecond)
			}
			err = p.Close()
		case errors.Is(err, ring.ErrRemoved):
			err = nil
		case errors.Is(err, ring.ErrProducerLive):
			err = readSome(r, 1+rng.IntN(200))
		}
		if err := errors.Join(err, r.Close()); err != nil {
			return err
		}
	}
}

// readSome reads so many records, or fewer.
func readSome(r *ring.Ring, n int) error {
	c, err := r.NewConsumer(ring.ConsumerConfig{From: ring.Oldest})
	if err != nil {
		return fmt.Errorf("join: %w", err)
	}
	var is checker
	for range n {
		next := c.Sequence()
		rec, err := c.Next(background)
		if err != nil {
			// The stream ends, or its producer did: the next round finds out more.
			return c.Close()
		}
		if rec.Sequence < next {
			return fmt.Errorf("record %d, want %d", rec.Sequence, next)
		}
		if err := is.check(rec); err != nil {
			return err
		}
		if err := c.Release(); err != nil {
			return fmt.Errorf("release: %w", err)
		}
	}
	return c.Close()
}

// K4.
func killAll(t *tally) error {
	name := prefix() + "k4"
	for t.trial() {
		removers := t.rng.IntN(2) * t.rng.IntN(6)
		var all []*child
		for i := range starters {
			c, err := startChild("start", name, fmt.Sprint(i < removers), fmt.Sprint(t.rng.Uint64()))
			if err != nil {
				return err
			}
			all = append(all, c)
		}
		if t.rng.IntN(2) == 0 {
			for _, c := range all {
				if err := c.expect("up"); err != nil {
					t.fail("%v", err)
				}
			}
		}
		time.Sleep(time.Duration(t.rng.IntN(30)) * time.Millisecond)
		for _, i := range t.rng.Perm(len(all)) {
			_ = all[i].Process.Kill()
		}
		for _, c := range all {
			c.kill()
			if said := strings.TrimSpace(c.stderr.String()); said != "" {
				t.fail("an innocent one was harmed: %s", said)
			}
		}
		if err := again(t, name); err != nil {
			t.fail("the next start: %v", err)
		}
	}
	if err := ring.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// again is the next start after everybody was killed: it works at once, all
// slots are free, and what is kept is whole.
func again(t *tally, name string) (err error) {
	from := monotonic.Now()
	r, err := ring.Create(name, ring.Config{Capacity: 1 << 14, Slots: 2 * starters})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	p, err := r.NewProducer()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	t.since(from, "the next start")
	if left, err := filepath.Glob("/dev/shm/" + name + "*"); err != nil || len(left) != 2 {
		return fmt.Errorf("wanted two files, found %q, %w", left, err)
	}
	seq := p.Sequence()
	if err := publish(p, 1); err != nil {
		return err
	}
	var all []*ring.Consumer
	for range 2 * starters {
		c, err := r.NewConsumer(ring.ConsumerConfig{From: ring.Oldest})
		if err != nil {
			return fmt.Errorf("consumer %d: %w", len(all), err)
		}
		all = append(all, c)
	}
	var is checker
	for next := all[0].Sequence(); next <= seq; next++ {
		rec, err := all[0].TryNext()
		if err == nil && rec.Sequence != next {
			err = fmt.Errorf("record %d", rec.Sequence)
		}
		if err == nil {
			err = is.check(rec)
		}
		if err != nil {
			return fmt.Errorf("record %d of %d: %w", next, seq, err)
		}
	}
	for _, c := range all {
		if err := c.Close(); err != nil {
			return err
		}
	}
	return nil
}

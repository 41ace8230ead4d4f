package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/carousel-ipc/carousel/ring"
)

// sleepersRole is so many consumers that sleep until a record comes.
func sleepersRole(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	wait, err := ring.ParseWait(args[2])
	if err != nil {
		return err
	}
	r, err := ring.Open(args[0])
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	failures := make([]error, n)
	for i := range n {
		c, err := r.NewConsumer(ring.ConsumerConfig{Wait: wait})
		if err != nil {
			return err
		}
		wg.Go(func() {
			var is checker
			var buf []byte
			for {
				rec, err := c.Read(background, buf)
				if err == nil {
					err = is.check(rec)
				}
				if err != nil {
					if err != io.EOF {
						failures[i] = err
					}
					failures[i] = errors.Join(failures[i], c.Close())
					return
				}
				buf = rec.Payload()
			}
		})
	}
	fmt.Println("ready")
	wg.Wait()
	return errors.Join(errors.Join(failures...), r.Close())
}

// M4. Nobody is woken twice for one record, and at full rate hardly anybody is
// woken at all.
func economy(t *tally) error {
	return errors.Join(
		crowd(t, 8, 8, ring.Block, func(p *ring.Producer) error { return lone(t, p, 64) }),
		crowd(t, 1, 1, ring.Adaptive, func(p *ring.Producer) error { return fullRate(t, p) }))
}

// crowd is a ring with so many consumers, each in so many processes.
func crowd(t *tally, processes, each int, wait ring.Wait, do func(*ring.Producer) error) error {
	name := prefix() + "m4"
	r, err := ring.Create(name, ring.Config{Capacity: 1 << 20})
	if err != nil {
		return err
	}
	p, err := r.NewProducer()
	if err != nil {
		return err
	}
	var all []*child
	for range processes {
		c, err := startChild("sleepers", name, strconv.Itoa(each), wait.String())
		if err != nil {
			return err
		}
		all = append(all, c)
		if err := c.expect("ready"); err != nil {
			return err
		}
	}
	err = errors.Join(do(p), p.Close(), r.Close())
	for _, c := range all {
		if code := c.reap(); code != 0 {
			t.fail("sleepers: exit %d: %s", code, c.stderr.String())
		}
	}
	return errors.Join(err, ring.Remove(name))
}

// lone publishes a record now and then, without waiting for anybody: a
// producer that waits may ring, too.
func lone(t *tally, p *ring.Producer, sleepers uint64) error {
	for t.trial() {
		before, err := p.Stats()
		if err != nil {
			return err
		}
		if err := publish(p, 1); err != nil {
			return err
		}
		var after ring.Stats
		if err := await("all to have the record", func() bool {
			after, err = p.Stats()
			if err != nil {
				return true
			}
			for _, c := range after.Consumers {
				if c.Lag > 0 {
					return false
				}
			}
			return true
		}); err != nil {
			return err
		}
		if wakes := after.Producer.Wakes - before.Producer.Wakes; wakes > sleepers {
			t.fail("%d wakes for one record and %d sleepers", wakes, sleepers)
		}
		time.Sleep(2 * time.Millisecond) // they fall asleep
	}
	return nil
}

func fullRate(t *tally, p *ring.Producer) error {
	const records = 600_000
	for range records / 3 {
		if err := publish(p, 3); err != nil {
			return err
		}
	}
	s, err := p.Stats()
	if err != nil {
		return err
	}
	share := float64(s.Producer.Wakes) / records
	t.note("at full rate %.5f wakes for each record", share)
	if share > 0.01 {
		t.fail("%.3f wakes for each record at full rate, want at most 0.01", share)
	}
	return nil
}

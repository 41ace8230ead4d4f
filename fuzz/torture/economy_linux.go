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
	r, err := ring.Open(args[0])
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	failures := make([]error, n)
	for i := range n {
		c, err := r.NewConsumer(ring.ConsumerConfig{Wait: ring.Block})
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

// M4.
func economy(t *tally) (err error) {
	const processes, each = 8, 8
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
		c, err := startChild("sleepers", name, strconv.Itoa(each))
		if err != nil {
			return err
		}
		all = append(all, c)
		if err := c.expect("ready"); err != nil {
			return err
		}
	}
	stats := func() ring.ProducerStats {
		s, err := p.Stats()
		if err != nil {
			t.fail("%v", err)
		}
		return s.Producer
	}
	for t.trial() {
		before := stats().Wakes
		if err := publish(p, 1); err != nil {
			return err
		}
		if err := p.Drain(background); err != nil {
			return err
		}
		time.Sleep(3 * time.Millisecond) // they fall asleep
		if wakes := stats().Wakes - before; wakes > processes*each {
			t.fail("%d wakes for one record and %d sleepers", wakes, processes*each)
		}
	}
	before := stats()
	const full = 300_000
	for range full / 3 {
		if err := publish(p, 3); err != nil {
			return err
		}
	}
	after := stats()
	perRecord := float64(after.Wakes-before.Wakes) / float64(after.Published-before.Published)
	t.note("a lone record wakes each sleeper once; at full rate %.5f wakes a record for %d consumers", perRecord, processes*each)
	if perRecord > 0.01*processes*each {
		t.fail("%.3f wakes a record for %d consumers at full rate, want at most 0.01 for each", perRecord, processes*each)
	}
	err = errors.Join(p.Close(), r.Close())
	for _, c := range all {
		if code := c.reap(); code != 0 {
			t.fail("sleepers: exit %d: %s", code, c.stderr.String())
		}
	}
	return errors.Join(err, ring.Remove(name))
}

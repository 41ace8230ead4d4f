package main

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/carousel-ipc/carousel/internal/seam"
	"github.com/carousel-ipc/carousel/ring"
)

// W1: rings that begin shortly before a sequence or a position needs a further
// bit, of a word or of a signed one. A trial is a record.
func wrap(t *tally) error {
	seq, pos := *seam.FirstSequence, *seam.FirstPosition
	defer func() { *seam.FirstSequence, *seam.FirstPosition = seq, pos }()
	starts := []struct{ seq, pos uint64 }{
		{1 << 32, 0}, {1 << 63, 0}, {0, 1 << 32}, {0, 1 << 63}, {1 << 32, 1 << 32}, {1 << 63, 1 << 63},
	}
	each := uint64(t.want / len(starts))
	for _, s := range starts {
		// Half of the records lie before the seam.
		*seam.FirstSequence, *seam.FirstPosition = 1, 0
		if s.seq > 0 {
			*seam.FirstSequence = s.seq - each/2 + t.rng.Uint64N(64)
		}
		if s.pos > 0 {
			*seam.FirstPosition = s.pos - each/2*300/16*16 + t.rng.Uint64N(64)*16
		}
		first := *seam.FirstSequence
		if err := across(t, first, each); err != nil {
			t.fail("from sequence %#x, position %#x: %v", first, *seam.FirstPosition, err)
		}
	}
	return nil
}

// across publishes n records under four producers, to consumers of all kinds
// and in every start.
func across(t *tally, first, n uint64) (err error) {
	r, err := ring.Anonymous(ring.Config{Capacity: 1 << 14, Slots: 8})
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	failures := make(chan error, 16)
	join := func(cfg ring.ConsumerConfig, want uint64) error {
		c, err := r.NewConsumer(cfg)
		if err != nil {
			return err
		}
		wg.Go(func() {
			if err := through(c, want, first+n); err != nil {
				failures <- fmt.Errorf("%v from %v: %w", cfg.Policy, cfg.From, err)
			}
		})
		return nil
	}
	const producers = 4
	for i := range uint64(producers) {
		p, err := r.NewProducer()
		if err != nil {
			return err
		}
		if want := first + i*(n/producers); p.Sequence() != want {
			return fmt.Errorf("producer %d begins with %d, want %d", i, p.Sequence(), want)
		}
		at := p.Sequence()
		if i == 0 {
			err = errors.Join(
				join(ring.ConsumerConfig{}, at),
				join(ring.ConsumerConfig{Policy: ring.Deadline(1 << 40), Wait: ring.Block}, at),
				join(ring.ConsumerConfig{Policy: ring.Lossy, From: ring.Sequence(at)}, at))
		} else if i == 2 {
			err = errors.Join(
				join(ring.ConsumerConfig{From: ring.Oldest}, 0),
				join(ring.ConsumerConfig{From: ring.Sequence(at + 5)}, at+5),
				join(ring.ConsumerConfig{Policy: ring.Lossy, From: ring.Latest}, at))
		}
		if err != nil {
			return err
		}
		most := n / producers
		if i == producers-1 {
			most = n - (producers-1)*most
		}
		for left := most; left > 0; {
			batch := min(left, 1+left%4)
			if err := publish(p, int(batch)); err != nil {
				return err
			}
			left -= batch
		}
		if err := p.Close(); err != nil {
			return err
		}
	}
	wg.Wait()
	close(failures)
	for e := range failures {
		err = errors.Join(err, e)
	}
	t.counted(int(n))
	return errors.Join(err, r.Close())
}

// through reads to the end of the stream of a number of producers and counts.
// want is the first record, 0 any; end the one behind the last.
func through(c *ring.Consumer, want, end uint64) (err error) {
	defer func() { err = errors.Join(err, c.Close()) }()
	var is checker
	var buf []byte
	for want == 0 || want < end {
		rec, err := c.Read(background, buf)
		over, overrun := errors.AsType[*ring.OverrunError](err)
		switch {
		case err == io.EOF:
			if err := c.WaitProducer(background); err != nil {
				return err
			}
			continue
		case overrun && c.Policy() == ring.Lossy && over.From == want && over.Lost == over.To-over.From+1:
			want = over.To + 1
			continue
		case err != nil:
			return fmt.Errorf("want record %d: %w", want, err)
		case want == 0:
			want = rec.Sequence
		case rec.Sequence != want:
			return fmt.Errorf("record %d, want %d", rec.Sequence, want)
		}
		if err := is.check(rec); err != nil {
			return err
		}
		buf = rec.Payload()
		want++
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/internal/monotonic"
	"github.com/carousel-ipc/carousel/ring"
)

// mutateRole changes words of a ring's memory, and changes them back, as
// fast as it can: its header, the producer's words, slots, headers of records
// and what is between them. It adds and subtracts, so that what the producer
// writes meanwhile is wrong for a moment only, or for good.
func mutateRole(args []string) error {
	seed, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	memory, err := openNotepad(args[0])
	if err != nil {
		return err
	}
	all := memory.pages.Bytes()
	fmt.Println("ready")
	rng := rand.New(rand.NewPCG(seed, 3))
	for {
		// The header, the producer's words, who was evicted; the records; the slots.
		at, records := 0, (len(all)-hostileSlots-hostileCapacity)/8
		switch rng.IntN(16) {
		case 0:
			at = records + hostileCapacity/8 + rng.IntN(hostileSlots/8)
		case 1, 2, 3:
			at = rng.IntN(records)
		default:
			at = records + rng.IntN(hostileCapacity/8)
		}
		if rng.IntN(2) == 0 {
			at &^= 1 // where headers of records may begin
		}
		by := uint64(1) << rng.IntN(64)
		switch rng.IntN(4) {
		case 0:
			by = rng.Uint64()
		case 1:
			by = uint64(1 + rng.IntN(32))
		}
		word := memory.word(at)
		word.Add(by)
		for range rng.IntN(64) {
			spin.Add(1)
		}
		word.Add(-by)
	}
}

const (
	hostileCapacity = ring.MinCapacity
	hostileSlots    = (1 + 4) * 4096
)

var hostile = ring.Config{Capacity: hostileCapacity, Slots: 4, Checksum: true}

// F3. A trial is a read that brings a record or an error. In every other ring a
// producer publishes meanwhile: there what it stages may be changed before it
// is sealed, so that nobody can say what a record ought to be.
func mutate(t *tally) error {
	defer futex.Restrict(false, true)() // a membarrier for each Close would take most of the time
	var told, rings int
	for ; t.trials < t.want && t.failed < 20 && !t.late(); rings++ {
		n, err := readMutated(t, rings%2 == 1)
		if err != nil {
			return err
		}
		told += n
	}
	t.note("%d rings; %d reads told of damage, loss or a death", rings, told)
	return nil
}

// readMutated reads a ring until it has become useless, for two seconds at
// most. What a call returns as an error is a report; no call takes long.
func readMutated(t *tally, live bool) (told int, err error) {
	size, err := ring.Size(hostile)
	if err != nil {
		return 0, err
	}
	memory, err := newMemory(int64(size))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, memory.remove()) }()
	r, err := ring.Format(memory.pages.Bytes(), hostile)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	p, err := r.NewProducer()
	if err != nil {
		return 0, err
	}
	defer func() { _ = p.Close() }() // which may find its ring in ruins
	for range 100 {
		if err := publish(p, 1); err != nil {
			return 0, err
		}
	}
	m, err := startChild("mutate", memory.path, strconv.FormatUint(t.rng.Uint64(), 10))
	if err != nil {
		return 0, err
	}
	defer m.kill()
	if err := m.expect("ready"); err != nil {
		return 0, err
	}
	if live {
		defer publishBeside(p)()
	}
	policies := []ring.Policy{ring.Reliable, ring.Lossy, ring.Deadline(time.Hour)}
	until := time.Now().Add(2 * time.Second)
	reads := 0
	defer func() { t.counted(reads) }()
	for i, idle := 0, 0; idle < 100 && time.Now().Before(until) && t.trials+reads < t.want; i++ {
		before := reads
		c, err := r.NewConsumer(ring.ConsumerConfig{Policy: policies[i%3], From: ring.Oldest, Wait: ring.Block})
		if err != nil {
			told++
			reads++
			idle++ // the slots are in ruins, too, before long
			continue
		}
		told += readUntilStuck(t, c, live, until, t.want-t.trials-reads, &reads)
		if err := c.Close(); err != nil {
			return told, fmt.Errorf("leave: %w", err)
		}
		if reads == before {
			idle++
		} else {
			idle = 0
		}
	}
	return told, nil
}

// publishBeside publishes until the ring no longer takes anything.
func publishBeside(p *ring.Producer) (end func()) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			seq := p.Sequence()
			b, err := p.TryReserve(sizeOf(seq))
			if err == nil {
				fill(b, seq)
				err = p.Commit()
			}
			if err != nil && !errors.Is(err, ring.ErrFull) {
				return
			}
		}
	}()
	return func() { close(stop); <-stopped }
}

func readUntilStuck(t *tally, c *ring.Consumer, live bool, until time.Time, most int, reads *int) (told int) {
	var is checker
	var buf []byte
	last := time.Now()
	var final error
	for n := 0; n < most; {
		from := monotonic.Now()
		rec, err := c.Read(done, buf)
		if to := monotonic.Now(); to-from > int64(time.Millisecond) {
			t.delayed(from, to, "a read")
		}
		switch {
		case err == nil:
			if err := is.check(rec); err != nil && !live {
				t.fail("delivered: %v", err)
				return told
			}
			buf = rec.Payload()
			n++
			*reads++
			last = time.Now()
		case errors.Is(err, context.Canceled):
			if now := time.Now(); !live || now.Sub(last) > 2*time.Millisecond || now.After(until) {
				return told
			}
		case err == final:
			return told // it says so for ever: that is one report
		case errors.Is(err, ring.ErrOverrun), errors.Is(err, ring.ErrCorrupt):
			final = err
			n++
			*reads++
			told++
			if errors.Is(err, ring.ErrCorrupt) && time.Since(last) > time.Millisecond {
				return told
			}
		default:
			*reads++
			told++
			if err != io.EOF && !errors.Is(err, ring.ErrEvicted) && !errors.Is(err, ring.ErrProducerDied) {
				t.fail("an error without a name: %v", err)
			}
			return told
		}
	}
	return told
}

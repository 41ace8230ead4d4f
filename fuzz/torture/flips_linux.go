package main

import (
	"errors"
	"fmt"

	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/ring"
	"github.com/carousel-ipc/carousel/shm"
)

// D2: bits flip in a ring with checksums that a killed producer left. What is
// delivered afterwards, behind a takeover, is what was published, in order. (A
// flip in a commit word says "not committed", which is where the ring then ends.)
func flipBits(t *tally) error {
	defer futex.Restrict(false, true)() // a membarrier for each Close would take most of the time
	cfg := ring.Config{Capacity: ring.MinCapacity, Slots: 1, Checksum: true, MaxRecord: 1000}
	n, err := ring.Size(cfg)
	if err != nil {
		return err
	}
	mem := shm.Heap(n).Bytes()
	r, err := ring.Format(mem, cfg)
	if err != nil {
		return err
	}
	p, err := r.NewProducer()
	if err != nil {
		return err
	}
	for range 60 {
		if err := publish(p, 1); err != nil {
			return err
		}
	}
	last := p.Sequence() - 1
	clean := append([]byte(nil), mem...)
	if err := errors.Join(p.Close(), r.Close()); err != nil {
		return err
	}
	image := shm.Heap(n).Bytes()
	told, refused := 0, 0
	for t.trial() {
		copy(image, clean)
		flips := 1
		if t.rng.IntN(2) == 0 {
			flips += t.rng.IntN(8)
		}
		for range flips {
			bit := t.rng.IntN(8 * n)
			if t.rng.IntN(4) > 0 { // mostly where records are
				bit = 8*(n-2*4096-cfg.Capacity) + t.rng.IntN(8*cfg.Capacity)
			}
			image[bit/8] ^= 1 << (bit % 8)
		}
		whole, err := readFlipped(image, last)
		switch {
		case err == nil && !whole:
			told++
		case errors.Is(err, errWrong):
			t.fail("%v", err)
		case err != nil:
			refused++
		}
	}
	t.note("%d images refused as a whole, %d in which a loss was told, %d in which no record was touched", refused, told, t.trials-refused-told)
	return nil
}

var errWrong = errors.New("delivered what was not published")

// readFlipped takes the ring over and reads what is kept. An error that is not
// errWrong is a refusal.
func readFlipped(image []byte, last uint64) (whole bool, err error) {
	r, err := ring.Attach(image)
	if err != nil {
		return false, err
	}
	defer r.Close()
	p, err := r.NewProducer()
	if err != nil {
		return false, err
	}
	end := p.Sequence()
	// Until it publishes, the new epoch is not over: readers see no more than was kept.
	defer p.Close()
	c, err := r.NewConsumer(ring.ConsumerConfig{From: ring.Oldest})
	if err != nil {
		return false, err
	}
	defer c.Close()
	whole = end == last+1
	var is checker
	var buf []byte
	before := uint64(0)
	for range 200 {
		rec, err := c.Read(done, buf)
		switch {
		case err == nil:
			if rec.Sequence > last || rec.Sequence <= before || is.check(rec) != nil {
				return false, fmt.Errorf("%w: record %d of %d bytes: %w", errWrong, rec.Sequence, len(rec.Payload()), is.check(rec))
			}
			before = rec.Sequence
			buf = rec.Payload()
		case errors.Is(err, ring.ErrCorrupt) || errors.Is(err, ring.ErrOverrun):
			whole = false
		default:
			return whole, nil // nothing more
		}
	}
	return whole, nil
}

package ring

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

// However records of all sizes, batches and aborts follow each other, the
// producer stages nothing beyond its credit and nothing across the end of the
// ring, and what a consumer that is nearly always a lap behind reads is whole.
func TestNothingIsStagedBeyondCredit(t *testing.T) {
	for seed := range uint64(20) {
		r, err := Anonymous(Config{Capacity: MinCapacity, MaxRecord: 700})
		must(t, err)
		p, err := r.NewProducer()
		must(t, err)
		c, err := r.NewConsumer(ConsumerConfig{})
		must(t, err)
		rng := rand.New(rand.NewPCG(seed, 1))
		size := func(seq uint64) int { // small ones mostly
			n := int(seq * 2654435761 % 200)
			if seq%16 == 0 {
				n *= 3
			}
			return n
		}
		const records = 3000
		for next := uint64(1); next <= records; {
			for p.Sequence() <= records {
				seq := p.Sequence()
				b, err := p.TryReserve(size(seq))
				if errors.Is(err, ErrFull) || errors.Is(err, ErrBatchFull) {
					break
				}
				must(t, err)
				if p.end+16 > c.cursor+p.capacity || p.end > p.pos+p.capacity {
					t.Fatalf("seed %d: record %d ends at %d, the consumer is at %d, P0 at %d, the lap has %d", seed, seq, p.end, c.cursor, p.pos, p.capacity)
				}
				copy(b, pattern(seq, len(b)))
				switch rng.IntN(4) {
				case 0:
					p.Abort()
				case 1, 2:
					must(t, p.Commit())
				}
			}
			must(t, p.Commit())
			for range rng.IntN(8) + 1 {
				rec, err := c.TryNext()
				if err == ErrEmpty {
					break
				}
				must(t, err)
				if rec.Sequence != next || !bytes.Equal(rec.Payload(), pattern(next, size(next))) {
					t.Fatalf("seed %d: record %d of %d bytes, want %d of %d", seed, rec.Sequence, rec.Len(), next, size(next))
				}
				next++
				must(t, c.Release())
			}
		}
		must(t, errors.Join(c.Close(), p.Close(), r.Close()))
	}
}

// A record that claims to be as long as the one before, where the ring ends
// before it does, is refused like every other.
func TestForetoldLengthIsChecked(t *testing.T) {
	for _, api := range []struct {
		name string
		one  func(*Consumer) error
	}{
		{"Next", func(c *Consumer) error { _, err := c.TryNext(); return errors.Join(err, c.Release()) }},
		{"Read", func(c *Consumer) error { _, err := c.Read(never, nil); return err }},
		{"Records", func(c *Consumer) (last error) {
			for _, err := range c.Records(never) {
				last = err
			}
			return last
		}},
	} {
		t.Run(api.name, func(t *testing.T) {
			r, err := Anonymous(Config{Capacity: MinCapacity})
			must(t, err)
			p, err := r.NewProducer()
			must(t, err)
			c, err := r.NewConsumer(ConsumerConfig{})
			must(t, err)
			write := func(n int) {
				for range n {
					_, err := p.Write(pattern(1, 64))
					must(t, err)
				}
			}
			read := func() error {
				for {
					if err := api.one(c); err != nil {
						return err
					}
				}
			}
			const fit = MinCapacity / 80
			write(fit - 10)
			if err := read(); !errors.Is(err, ErrEmpty) {
				t.Fatal(err)
			}
			write(10)
			end := p.pos
			write(1) // begins with a filler
			store64(p.metaWord(end), 64)
			err = read()
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("error %v, want ErrCorrupt", err)
			}
			must(t, errors.Join(c.Close(), p.Close(), r.Close()))
		})
	}
}

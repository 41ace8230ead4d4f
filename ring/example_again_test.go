package ring_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/carousel-ipc/carousel/ring"
)

// A consumer that is started again goes on where it was: it remembers, with
// its own results, which ring it read and the sequence that comes next. A ring
// made anew numbers from 1, and has another ID.
func ExampleSequence() {
	dir := must(os.MkdirTemp("", "ticks"))
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ticks")
	var kept struct { // on disk, in a program
		ID   string
		Next uint64
	}
	run := func() {
		r := must(ring.OpenFile(path))
		defer r.Close()
		from := ring.Oldest
		if id := must(r.Stats()).ID; id == kept.ID {
			from = ring.Sequence(kept.Next)
		} else {
			kept.ID = id
		}
		c := must(r.NewConsumer(ring.ConsumerConfig{Name: "ledger", From: from}))
		defer c.Close()
		for rec, err := range c.Records(context.Background()) {
			var lost *ring.OverrunError
			if errors.As(err, &lost) {
				fmt.Printf("was away for too long: %d to %d\n", lost.From, lost.To)
				continue
			}
			check(err)
			fmt.Printf("%d: %s\n", rec.Sequence, rec.Payload())
			kept.Next = rec.Sequence + 1
		}
	}
	publish := func(texts ...string) {
		r := must(ring.CreateFile(path, ring.Config{Capacity: ring.MinCapacity}))
		defer r.Close()
		p := must(r.NewProducer())
		for _, text := range texts {
			fmt.Fprint(p, text)
		}
		check(p.Close())
	}

	publish("one", "two")
	run()
	publish("three")
	run()
	check(ring.RemoveFile(path))
	publish("another one")
	run()
	// Output:
	// 1: one
	// 2: two
	// 3: three
	// 1: another one
}

// Whoever wants the newest record only takes all that is there and uses the
// last. Lossy alone is not enough: it never holds the producer up, and may be
// up to a lap behind.
func ExampleLossy() {
	r := must(ring.Anonymous(ring.Config{}))
	defer r.Close()
	p := must(r.NewProducer())
	defer p.Close()
	c := must(r.NewConsumer(ring.ConsumerConfig{Name: "display", Policy: ring.Lossy}))
	defer c.Close()
	for i := range 100 {
		fmt.Fprintf(p, "price %d", i)
	}

	var newest string
	for {
		rec, err := c.TryNext()
		if errors.Is(err, ring.ErrEmpty) {
			break
		}
		if err == nil {
			price := string(rec.Payload()) // a copy: only Release says whether it was whole
			if err = c.Release(); err == nil {
				newest = price
			}
		}
		if !errors.Is(err, ring.ErrOverrun) { // lapped meanwhile: what is newer is there
			check(err)
		}
	}
	fmt.Println(newest)
	// Output: price 99
}

// The end of a ring for good: everybody who gates has everything, the stream is
// ended, the name is taken away. A successor that was quicker keeps it.
func ExampleRemoveFile() {
	dir := must(os.MkdirTemp("", "ticks"))
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ticks")
	r := must(ring.CreateFile(path, ring.Config{Capacity: ring.MinCapacity}))
	defer r.Close()
	p := must(r.NewProducer())
	fmt.Fprint(p, "the last")

	check(p.Drain(context.Background())) // waits as long as the context allows
	check(p.Close())
	if err := ring.RemoveFile(path); !errors.Is(err, ring.ErrProducerLive) {
		check(err)
	}
	fmt.Println(len(must(os.ReadDir(dir))), "files left")
	// Output: 0 files left
}

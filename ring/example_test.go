package ring_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log"

	"github.com/carousel-ipc/carousel/ring"
)

// One producer and one consumer; in a program of your own each would be a
// process, with ring.Create("ticks", …) and ring.Open("ticks").
func Example() {
	ctx := context.Background()
	r, err := ring.Anonymous(ring.Config{Capacity: 1 << 16})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	c, err := r.NewConsumer(ring.ConsumerConfig{Name: "risk"})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	p, err := r.NewProducer()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintf(p, "EURUSD %.4f", 1.0842)
	fmt.Fprintf(p, "EURUSD %.4f", 1.0843)
	if err := p.Close(); err != nil {
		log.Fatal(err)
	}
	for rec, err := range c.Records(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d: %s\n", rec.Sequence, rec.Payload())
	}
	// Output:
	// 1: EURUSD 1.0842
	// 2: EURUSD 1.0843
}

// A batch becomes visible all at once, with one store.
func ExampleProducer_Commit() {
	r, _ := ring.Anonymous(ring.Config{})
	defer r.Close()
	p, _ := r.NewProducer()
	defer p.Close()
	c, _ := r.NewConsumer(ring.ConsumerConfig{})
	defer c.Close()

	for _, word := range []string{"all", "at", "once"} {
		buf, err := p.Reserve(context.Background(), len(word))
		if err != nil {
			log.Fatal(err)
		}
		copy(buf, word)
	}
	_, err := c.TryNext()
	fmt.Println(errors.Is(err, ring.ErrEmpty))
	if err := p.Commit(); err != nil {
		log.Fatal(err)
	}
	for range 3 {
		rec, err := c.TryNext()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s ", rec.Payload())
	}
	fmt.Println(c.Release())
	// Output:
	// true
	// all at once <nil>
}

// A lossy consumer never holds the producer up; it is told exactly what it missed.
func ExampleOverrunError() {
	r, _ := ring.Anonymous(ring.Config{Capacity: ring.MinCapacity})
	defer r.Close()
	p, _ := r.NewProducer()
	defer p.Close()
	c, _ := r.NewConsumer(ring.ConsumerConfig{Policy: ring.Lossy})
	defer c.Close()

	for range 1000 {
		p.Write(make([]byte, 48))
	}
	var received, lost uint64
	for {
		_, err := c.Read(context.Background(), nil)
		var overrun *ring.OverrunError
		if errors.As(err, &overrun) {
			lost += overrun.Lost
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		if received++; received+lost == 1000 {
			break
		}
	}
	fmt.Println(lost > 0, received+lost)
	// Output: true 1000
}

// Records of one size, such as structs, in one call for many on either side: the
// fastest way for small ones.
func ExampleProducer_ReserveBatch() {
	r, _ := ring.Anonymous(ring.Config{})
	defer r.Close()
	p, _ := r.NewProducer()
	defer p.Close()
	c, _ := r.NewConsumer(ring.ConsumerConfig{})
	defer c.Close()

	ctx := context.Background()
	for prices := []uint64{10842, 10843, 10841}; len(prices) > 0; {
		b, err := p.ReserveBatch(ctx, 8, len(prices)) // as many as fit now
		if err != nil {
			log.Fatal(err)
		}
		for i := range b.Len() {
			binary.LittleEndian.PutUint64(b.Payload(i), prices[i])
		}
		prices = prices[b.Len():]
	}
	if err := p.Commit(); err != nil {
		log.Fatal(err)
	}
	for c.Sequence() <= 3 {
		b, err := c.NextBatch(ctx, 256) // as many as are there, up to 256
		if err != nil {
			log.Fatal(err)
		}
		for i := range b.Len() {
			rec := b.Record(i)
			fmt.Println(rec.Sequence, binary.LittleEndian.Uint64(rec.Payload()))
		}
		if err := c.Release(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// 1 10842
	// 2 10843
	// 3 10841
}

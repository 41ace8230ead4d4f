package ring_test

import (
	"context"
	"log"

	"github.com/carousel-ipc/carousel/ring"
)

// The two halves of README's example, which are processes of their own: they
// are compiled here and not run. package examples/quotes is such a program.

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

var quotes [][]byte

func handle(sequence uint64, payload []byte) {}

func Example_producer() {
	ctx := context.Background()

	r := must(ring.Create("ticks", ring.Config{Capacity: 1 << 20})) // makes it, or opens it
	p := must(r.NewProducer())                                      // one at a time; takes over after a crash
	for _, quote := range quotes {
		buf := must(p.Reserve(ctx, len(quote))) // a piece of the ring, to be filled
		copy(buf, quote)
	}
	check(p.Commit())           // all of the batch, with one store
	check(p.Drain(ctx))         // at the end: everybody who gates has everything,
	check(p.Close())            // consumers are told,
	check(ring.Remove("ticks")) // and the name goes; ErrProducerLive: a successor has it
}

func Example_consumer() {
	ctx := context.Background()

	r := must(ring.Open("ticks"))
	c := must(r.NewConsumer(ring.ConsumerConfig{Name: "risk", Policy: ring.Reliable, From: ring.Oldest}))
	for rec, err := range c.Records(ctx) {
		check(err)
		handle(rec.Sequence, rec.Payload()) // in place: valid until the loop goes on
	}
	check(c.Close())
}

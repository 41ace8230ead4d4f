package ring_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/carousel-ipc/carousel/ring"
)

// Producers come and go, consumers stay attached, the sequence goes on. A
// producer that was killed is followed by another in the same way; the error is
// ErrProducerDied then, and not io.EOF.
func ExampleConsumer_WaitProducer() {
	ctx := context.Background()
	r := must(ring.Anonymous(ring.Config{}))
	defer r.Close()
	c := must(r.NewConsumer(ring.ConsumerConfig{}))
	defer c.Close()

	for _, text := range []string{"before", "after"} {
		p := must(r.NewProducer()) // finds the end of what was committed
		fmt.Fprint(p, text)
		check(p.Close())
	}

	for epochs := 0; ; {
		rec, err := c.Read(ctx, nil)
		if errors.Is(err, io.EOF) || errors.Is(err, ring.ErrProducerDied) {
			if epochs++; epochs == 2 {
				break
			}
			check(c.WaitProducer(ctx))
			continue
		}
		check(err)
		fmt.Printf("%d: %s\n", rec.Sequence, rec.Payload())
	}
	// Output:
	// 1: before
	// 2: after
}

// A consumer with a deadline may hold the producer up for so long and no
// longer.
func ExampleDeadline() {
	ctx := context.Background()
	r := must(ring.Anonymous(ring.Config{Capacity: ring.MinCapacity}))
	defer r.Close()
	p := must(r.NewProducer())
	defer p.Close()
	c := must(r.NewConsumer(ring.ConsumerConfig{Policy: ring.Deadline(10 * time.Millisecond)}))
	defer c.Close()

	for range 200 { // more than the ring holds; the consumer does nothing
		must(p.Write(make([]byte, 48)))
	}
	_, err := c.Next(ctx)
	fmt.Println(errors.Is(err, ring.ErrEvicted))
	// Output: true
}

// Drain waits until those who gate have everything, and otherwise names them.
func ExampleProducer_Drain() {
	r := must(ring.Anonymous(ring.Config{}))
	defer r.Close()
	p := must(r.NewProducer())
	defer p.Close()
	c := must(r.NewConsumer(ring.ConsumerConfig{Name: "risk"}))
	defer c.Close()
	fmt.Fprint(p, "one")
	fmt.Fprint(p, "two")

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	var lag *ring.LagError
	if errors.As(p.Drain(ctx), &lag) {
		fmt.Printf("%s lacks %d\n", lag.Consumers[0].Name, lag.Consumers[0].Records)
	}
	// Output: risk lacks 2
}

// Anybody may look at a ring, from any process: by ring.Open, or by
// ring.Inspect if it is served.
func ExampleRing_Stats() {
	r := must(ring.Anonymous(ring.Config{Capacity: 1 << 16}))
	defer r.Close()
	p := must(r.NewProducer())
	defer p.Close()
	fast := must(r.NewConsumer(ring.ConsumerConfig{Name: "fast", Policy: ring.Lossy}))
	defer fast.Close()
	slow := must(r.NewConsumer(ring.ConsumerConfig{Name: "slow"}))
	defer slow.Close()
	for range 3 {
		fmt.Fprint(p, "record")
	}
	for range 3 {
		must(fast.Read(context.Background(), nil))
	}

	s := must(r.Stats())
	fmt.Println("published", s.Producer.Published)
	for _, c := range s.Consumers {
		fmt.Println(c.Name, c.Policy, "lags by", c.Lag)
	}
	// Output:
	// published 3
	// fast lossy lags by 0
	// slow reliable lags by 3
}

package ring_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/carousel-ipc/carousel/ring"
)

// Records are read where they lie, and given back many at a time.
func ExampleConsumer_Next() {
	ctx := context.Background()
	r := must(ring.Anonymous(ring.Config{}))
	defer r.Close()
	p := must(r.NewProducer())
	defer p.Close()
	c := must(r.NewConsumer(ring.ConsumerConfig{}))
	defer c.Close()
	for i := range 4 {
		fmt.Fprintf(p, "record %d", i+1)
	}

	var views [][]byte
	for range 4 {
		rec := must(c.Next(ctx))
		views = append(views, rec.Payload()) // no copy
	}
	for _, v := range views {
		fmt.Printf("%s; ", v)
	}
	check(c.Release()) // from here on the producer may overwrite all four
	fmt.Println(c.Stats().Received)
	// Output: record 1; record 2; record 3; record 4; 4
}

// The end of a context ends every wait, asleep or not.
func ExampleConsumer_Next_cancel() {
	r := must(ring.Anonymous(ring.Config{}))
	defer r.Close()
	c := must(r.NewConsumer(ring.ConsumerConfig{Wait: ring.Block}))
	defer c.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err := c.Next(ctx)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

// Try forms never wait, for programs that have a loop of their own.
func ExampleConsumer_TryNext() {
	r := must(ring.Anonymous(ring.Config{}))
	defer r.Close()
	p := must(r.NewProducer())
	defer p.Close()
	c := must(r.NewConsumer(ring.ConsumerConfig{}))
	defer c.Close()

	_, err := c.TryNext()
	fmt.Println(errors.Is(err, ring.ErrEmpty))
	fmt.Fprint(p, "now")
	rec := must(c.TryNext())
	fmt.Printf("%s\n", rec.Payload())
	check(c.Release())
	// Output:
	// true
	// now
}

// A message may be larger than a record, and larger than the ring.
func ExampleProducer_WriteChain() {
	ctx := context.Background()
	r := must(ring.Anonymous(ring.Config{Capacity: ring.MinCapacity}))
	defer r.Close()
	p := must(r.NewProducer())
	c := must(r.NewConsumer(ring.ConsumerConfig{}))
	defer c.Close()

	written := make(chan error)
	go func() {
		err := p.WriteChain(ctx, 7, []byte(strings.Repeat("x", 3*ring.MinCapacity)))
		written <- errors.Join(err, p.Close())
	}()
	rec := must(c.ReadChain(ctx, nil))
	fmt.Println(rec.Type(), len(rec.Payload()))
	_, err := c.ReadChain(ctx, nil)
	fmt.Println(err == io.EOF, <-written)
	// Output:
	// 7 12288
	// true <nil>
}

// A ring may carry a stream of bytes: the producer is an io.Writer, the stream
// an io.Reader and io.WriterTo.
func ExampleConsumer_Stream() {
	r := must(ring.Anonymous(ring.Config{}))
	defer r.Close()
	p := must(r.NewProducer())
	c := must(r.NewConsumer(ring.ConsumerConfig{}))
	defer c.Close()

	must(io.Copy(p, strings.NewReader("from a reader to a writer\n")))
	check(p.Close())
	must(io.Copy(os.Stdout, c.Stream(context.Background())))
	// Output: from a reader to a writer
}

// Consumers can choose by type, without a look at other payloads.
func ExampleConsumerConfig_types() {
	ctx := context.Background()
	r := must(ring.Anonymous(ring.Config{}))
	defer r.Close()
	p := must(r.NewProducer())
	c := must(r.NewConsumer(ring.ConsumerConfig{Types: []uint16{2}}))
	defer c.Close()

	must(p.WriteType(1, []byte("a quote")))
	must(p.WriteType(2, []byte("a trade")))
	check(p.Close())
	for rec, err := range c.Records(ctx) {
		check(err)
		fmt.Printf("%d: %s\n", rec.Sequence, rec.Payload())
	}
	// Output: 2: a trade
}

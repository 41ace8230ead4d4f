//go:build linux && !carousel_portable

package ring_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/carousel-ipc/carousel/ring"
)

// A producer hands its ring out at a socket. Consumers, mostly other processes
// and possibly other users, cannot change what others read.
func ExampleListen() {
	dir, err := os.MkdirTemp("", "ticks")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "ticks.sock")

	r, err := ring.Listen(socket, ring.ServeConfig{Config: ring.Config{Capacity: 1 << 20}})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	p, err := r.NewProducer()
	if err != nil {
		log.Fatal(err)
	}

	// In a consumer's process:
	ctx := context.Background()
	theirs, err := ring.Dial(ctx, socket)
	if err != nil {
		log.Fatal(err)
	}
	defer theirs.Close()
	c, err := theirs.NewConsumer(ring.ConsumerConfig{Name: "risk"})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	if _, err := p.Write([]byte("tick 1")); err != nil {
		log.Fatal(err)
	}
	if err := p.Close(); err != nil {
		log.Fatal(err)
	}
	for rec, err := range c.Records(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d: %s\n", rec.Sequence, rec.Payload())
	}
	// Output: 1: tick 1
}

// A child process gets its place on the ring with its descriptors, without a
// socket that has a name: exec.Cmd.ExtraFiles = []*os.File{place}.
func ExampleRing_Invite() {
	ctx := context.Background()
	r := must(ring.Serve(nil, ring.ServeConfig{}))
	defer r.Close()
	p := must(r.NewProducer())
	place := must(r.Invite())

	// In the child, where place is os.NewFile(3, "place"); the parent closes its
	// own copy once the child has been started.
	theirs := must(ring.Inherit(ctx, place))
	defer theirs.Close()
	c := must(theirs.NewConsumer(ring.ConsumerConfig{}))
	defer c.Close()

	fmt.Fprint(p, "for the children")
	check(p.Close())
	for rec, err := range c.Records(ctx) {
		check(err)
		fmt.Printf("%s\n", rec.Payload())
	}
	// Output: for the children
}

// A served ring has one producer in its life. When that has gone its consumers
// dial the next one: another ring, with another ID, numbered from 1.
func ExampleDial() {
	dir := must(os.MkdirTemp("", "ticks"))
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "ticks.sock")
	ctx := context.Background()
	serve := func() (*ring.Ring, *ring.Producer) {
		r := must(ring.Listen(socket, ring.ServeConfig{}))
		return r, must(r.NewProducer())
	}
	dial := func() (*ring.Ring, *ring.Consumer) {
		r := must(ring.Dial(ctx, socket))
		return r, must(r.NewConsumer(ring.ConsumerConfig{Name: "risk"}))
	}

	r, p := serve()
	theirs, c := dial()
	fmt.Fprint(p, "before")
	check(p.Close())
	check(r.Close())
	for rec, err := range c.Records(ctx) {
		check(err)
		fmt.Printf("%d: %s\n", rec.Sequence, rec.Payload())
	}
	fmt.Println(errors.Is(c.WaitProducer(ctx), ring.ErrRemoved))
	check(c.Close())
	check(theirs.Close())

	r, p = serve()
	theirs, c = dial() // again and again while the error is fs.ErrNotExist or ErrProducerDied
	fmt.Fprint(p, "after")
	check(p.Close())
	check(r.Close())
	for rec, err := range c.Records(ctx) {
		check(err)
		fmt.Printf("%d: %s\n", rec.Sequence, rec.Payload())
	}
	check(c.Close())
	check(theirs.Close())
	// Output:
	// 1: before
	// true
	// 1: after
}

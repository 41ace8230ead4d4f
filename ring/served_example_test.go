//go:build linux && !carousel_portable

package ring_test

import (
	"context"
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

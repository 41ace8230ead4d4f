package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/carousel-ipc/carousel/transport"
)

// The URL chooses the medium; the code is the same for each.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "ticks")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	url := "file://" + filepath.ToSlash(filepath.Join(dir, "ticks"))

	p, err := transport.Create(url, transport.ProducerConfig{Capacity: 1 << 16})
	if err != nil {
		log.Fatal(err)
	}
	c, err := transport.Open(ctx, url, transport.ConsumerConfig{Name: "risk"})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	for _, text := range []string{"tick 1", "tick 2"} {
		b, err := p.Reserve(ctx, transport.Header{}, len(text))
		if err != nil {
			log.Fatal(err)
		}
		copy(b, text)
	}
	if err := errors.Join(p.Commit(), p.Close()); err != nil {
		log.Fatal(err)
	}

	for {
		rec, err := c.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d: %s\n", rec.Sequence, rec.Payload())
		if err := c.Release(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// 1: tick 1
	// 2: tick 2
}

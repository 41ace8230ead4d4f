package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/carousel-ipc/carousel/ring"
)

// parent starts a child for each pattern and tells all of them every line.
func parent(ctx context.Context, patterns []string, lines io.Reader) (err error) {
	r, err := ring.Serve(nil, ring.ServeConfig{Config: ring.Config{Slots: len(patterns)}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	p, err := r.NewProducer(ring.ProducerConfig{Label: "children"})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(patterns))
	started := 0
	defer func() {
		err = errors.Join(err, p.Close()) // the children come to the end, and leave
		for range started {
			err = errors.Join(err, <-ended)
		}
	}()
	for _, pattern := range patterns {
		c, err := start(ctx, r, pattern)
		if err != nil {
			return err
		}
		started++
		go func() {
			err := c.Wait()
			if err != nil {
				err = fmt.Errorf("child for %q: %w", pattern, err)
				cancel() // nobody waits for it any longer
			}
			ended <- err
		}()
	}
	if err := p.WaitConsumers(ctx, len(patterns)); err != nil {
		return err
	}

	in := bufio.NewScanner(lines)
	in.Buffer(nil, p.MaxRecord())
	for in.Scan() {
		if _, err := p.Write(in.Bytes()); err != nil {
			return err
		}
	}
	return in.Err()
}

// start starts a child with a place on the ring. The parent keeps no copy of
// it: that would keep the place when the child dies.
func start(ctx context.Context, r *ring.Ring, pattern string) (*exec.Cmd, error) {
	place, err := r.Invite()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, errors.Join(err, place.Close())
	}
	c := exec.CommandContext(ctx, self)
	c.Env = append(os.Environ(), childVariable+"="+pattern)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.ExtraFiles = []*os.File{place} // descriptor 3 of the child
	return c, errors.Join(c.Start(), place.Close())
}

//go:build linux && !carousel_portable

package ring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func init() {
	roles["serve"] = serveRole
	roles["dial"] = dialRole
}

// socketPath is where a test serves. Paths of sockets have to be short.
func socketPath(t *testing.T) string {
	dir, err := os.MkdirTemp("", "carousel-")
	must(t, err)
	must(t, os.Chmod(dir, 0o755)) // for tests with another user
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func soon(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func listen(t *testing.T, path string, cfg ServeConfig) (*Ring, *Producer) {
	t.Helper()
	r, err := Listen(path, cfg)
	must(t, err)
	t.Cleanup(func() { _ = r.Close() })
	p, err := r.NewProducer()
	must(t, err)
	t.Cleanup(func() { _ = p.Close() })
	return r, p
}

func dial(t *testing.T, path string, cfg ConsumerConfig) *Consumer {
	t.Helper()
	r, err := Dial(t.Context(), path)
	must(t, err)
	defer r.Close()
	c, err := r.NewConsumer(cfg)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// serveRole publishes numbers until it is killed, or, with COUNT, so many.
func serveRole() error {
	orphanGuard()
	r, err := Listen(os.Getenv("RING"), ServeConfig{Config: Config{Capacity: 1 << 16}})
	if err != nil {
		return err
	}
	p, err := r.NewProducer(ProducerConfig{Label: "serve"})
	if err != nil {
		return err
	}
	count, consumers := number("COUNT"), number("CONSUMERS")
	if err := p.WaitConsumers(context.Background(), consumers); err != nil {
		return err
	}
	for i := 0; count == 0 || i < count; i++ {
		if _, err := p.Write(pattern(p.Sequence(), killSize(p.Sequence()))); err != nil {
			return err
		}
		if count == 0 {
			time.Sleep(100 * time.Microsecond)
		}
	}
	if err := p.Drain(context.Background()); err != nil {
		return err
	}
	return errors.Join(p.Close(), r.Close())
}

func number(env string) int {
	n, _ := strconv.Atoi(os.Getenv(env))
	return n
}

// dialRole reads, says what it has read last, and verifies.
func dialRole() error {
	orphanGuard()
	r, err := Dial(context.Background(), os.Getenv("RING"))
	if err != nil {
		return err
	}
	var cfg ConsumerConfig
	if s := os.Getenv("POLICY"); s != "" {
		if cfg.Policy, err = ParsePolicy(s); err != nil {
			return err
		}
	}
	c, err := r.NewConsumer(cfg)
	if err != nil {
		return err
	}
	fmt.Println("joined")
	var lost uint64
	for next := uint64(1); ; next++ {
		rec, err := c.Read(context.Background(), nil)
		if over, ok := errors.AsType[*OverrunError](err); ok {
			lost += over.Lost
			next = over.To
			continue
		}
		if err == io.EOF {
			fmt.Println("end", c.Sequence()-1-lost, lost)
			return errors.Join(c.Close(), r.Close())
		}
		if err != nil {
			return err
		}
		if rec.Sequence != next || !bytes.Equal(rec.Payload, pattern(next, killSize(next))) {
			return fmt.Errorf("record %d of %d bytes, want %d", rec.Sequence, len(rec.Payload), next)
		}
	}
}

func TestServedRing(t *testing.T) {
	path := socketPath(t)
	r, p := listen(t, path, ServeConfig{Config: Config{Capacity: 1 << 16, Slots: 3}})
	var consumers []*Consumer
	for _, policy := range []Policy{Reliable, Deadline(time.Second), Lossy} {
		consumers = append(consumers, dial(t, path, ConsumerConfig{Name: policy.String(), Policy: policy}))
	}
	must(t, p.WaitConsumers(soon(t, time.Second), 3))
	if _, err := Dial(t.Context(), path); !errors.Is(err, ErrNoSlot) {
		t.Errorf("a fourth: got %v, want ErrNoSlot", err)
	}
	for i := range uint64(1000) {
		_, err := p.Write(pattern(i+1, killSize(i+1)))
		must(t, err)
		for _, c := range consumers {
			rec, err := c.Next(soon(t, 5*time.Second))
			if err != nil || rec.Sequence != i+1 || !bytes.Equal(rec.Payload, pattern(i+1, killSize(i+1))) {
				t.Fatalf("%s: record %d: %v, want %d", c.Name(), rec.Sequence, err, i+1)
			}
			must(t, c.Release())
		}
	}
	s, err := Inspect(t.Context(), path)
	if err != nil || s.Producer.Published != 1000 || len(s.Consumers) != 3 || s.Name != path || s.Producer.Fence != "sleeper" {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := Listen(path, ServeConfig{}); !errors.Is(err, ErrProducerLive) || !strings.Contains(err.Error(), "ring.test") {
		t.Errorf("a second producer: got %v", err)
	}
	must(t, consumers[0].Close())
	waitFor(t, "the slot is free", func() bool { s, err := r.Stats(); return err == nil && len(s.Consumers) == 2 })
	late := dial(t, path, ConsumerConfig{Name: "late", From: Oldest})
	rec, err := late.Next(soon(t, 5*time.Second))
	if err != nil || !bytes.Equal(rec.Payload, pattern(rec.Sequence, killSize(rec.Sequence))) {
		t.Errorf("%v, %v", rec.Sequence, err)
	}
	// The end: told to all, and the name is gone.
	must(t, p.Close())
	for _, c := range consumers[1:] {
		if _, err := c.Next(soon(t, 5*time.Second)); err != io.EOF {
			t.Errorf("%s: got %v, want io.EOF", c.Name(), err)
		}
		if err := c.WaitProducer(soon(t, 5*time.Second)); !errors.Is(err, ErrRemoved) {
			t.Errorf("%s: got %v, want ErrRemoved", c.Name(), err)
		}
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket's name is there: %v", err)
	}
	if _, err := r.NewProducer(); !errors.Is(err, ErrRemoved) {
		t.Errorf("another producer: got %v, want ErrRemoved", err)
	}
	if _, err := Dial(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the end: got %v, want fs.ErrNotExist", err)
	}
}

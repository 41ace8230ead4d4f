package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/carousel-ipc/carousel/internal/monotonic"
	"github.com/carousel-ipc/carousel/internal/seam"
	"github.com/carousel-ipc/carousel/ring"
)

// echoRole answers each record with one of the same bytes, after a delay that
// is random and mostly none.
func echoRole(args []string) error {
	*seam.SleepBound = -1
	var seed uint64
	if _, err := fmt.Sscan(args[1], &seed); err != nil {
		return err
	}
	there, err := ring.Open(args[0] + "-there")
	if err != nil {
		return err
	}
	back, err := ring.Open(args[0] + "-back")
	if err != nil {
		return err
	}
	c, err := there.NewConsumer(ring.ConsumerConfig{Wait: ring.Block})
	if err != nil {
		return err
	}
	p, err := back.NewProducer()
	if err != nil {
		return err
	}
	fmt.Println("ready")
	rng := rand.New(rand.NewPCG(seed, 2))
	var buf []byte
	for {
		rec, err := c.Read(background, buf)
		if err != nil {
			return err
		}
		buf = rec.Payload()
		loiter(rng)
		if _, err := p.Write(buf); err != nil {
			return err
		}
		loiter(rng)
	}
}

// loiter moves what comes next by some hundred nanoseconds, so that going to
// sleep and being woken meet at every point.
func loiter(rng *rand.Rand) {
	for range rng.IntN(2000) {
		spin.Add(1)
	}
}

// spin is what loops that only take time count.
var spin atomic.Uint64

// M2.
func pingPong(t *tally) (err error) {
	bound := *seam.SleepBound
	*seam.SleepBound = -1
	defer func() { *seam.SleepBound = bound }()
	name := prefix() + "m2"
	there, err := ring.Create(name+"-there", ring.Config{Capacity: 1 << 12, Slots: 1})
	if err != nil {
		return err
	}
	back, err := ring.Create(name+"-back", ring.Config{Capacity: 1 << 12, Slots: 1})
	if err != nil {
		return err
	}
	p, err := there.NewProducer()
	if err != nil {
		return err
	}
	c, err := back.NewConsumer(ring.ConsumerConfig{Wait: ring.Block})
	if err != nil {
		return err
	}
	echo, err := startChild("echo", name, fmt.Sprint(t.rng.Uint64()))
	if err != nil {
		return err
	}
	if err := echo.expect("ready"); err != nil {
		return err
	}
	var buf []byte
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	hang := time.AfterFunc(time.Hour, cancel)
	defer hang.Stop()
	for t.trial() {
		hang.Reset(20 * time.Second) // nothing else would ever end a lost wake
		from := monotonic.Now()
		if _, err := p.Write([]byte{byte(t.trials)}); err != nil {
			return err
		}
		loiter(t.rng)
		rec, err := c.Read(ctx, buf)
		if errors.Is(err, context.Canceled) {
			return fmt.Errorf("a wake is lost: no answer within 20 s")
		}
		if err != nil {
			return err
		}
		if buf = rec.Payload(); len(buf) != 1 || buf[0] != byte(t.trials) {
			t.fail("answer %v", buf)
		}
		t.since(from, "a round")
		loiter(t.rng)
	}
	st := c.Stats()
	t.note("asleep in %d rounds of %d", st.Waits, t.trials)
	echo.kill()
	return errors.Join(c.Close(), p.Close(), there.Close(), back.Close(), ring.Remove(name+"-there"), ring.Remove(name+"-back"))
}

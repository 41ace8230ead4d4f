package ring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/futex"
)

// count is how many records a concurrent test moves.
func count(n int) int {
	if testing.Short() || futex.Polls {
		return n / 10
	}
	return n
}

// follow reads to the end of the stream, checks every record against its
// pattern and every sequence against the one before, and returns what it
// received and what it was told it lost.
func follow(ctx context.Context, c *Consumer, size func(seq uint64) int) (received, lost uint64, err error) {
	var buf []byte
	next := c.Sequence()
	for {
		rec, err := c.Read(ctx, buf)
		var over *OverrunError
		switch {
		case errors.Is(err, io.EOF):
			return received, lost, nil
		case errors.As(err, &over):
			if over.From != next || over.To-over.From+1 != over.Lost {
				return received, lost, fmt.Errorf("told %v, expected from %d", over, next)
			}
			lost += over.Lost
			next = over.To + 1
			continue
		case err != nil:
			return received, lost, err
		}
		buf = rec.Payload()
		if rec.Sequence != next || !bytes.Equal(rec.Payload(), pattern(next, size(next))) {
			return received, lost, fmt.Errorf("record %d of %d bytes, want %d of %d", rec.Sequence, len(rec.Payload()), next, size(next))
		}
		next++
		received++
	}
}

func TestThreePoliciesAtOnceUnderEveryWait(t *testing.T) {
	for _, wait := range []Wait{Adaptive, Spin, Yield, Block} {
		for _, restricted := range []string{"", "no membarrier", "no waitv"} {
			t.Run(wait.String()+" "+restricted, func(t *testing.T) {
				if restricted == "no waitv" && futex.Polls {
					t.Skip("SKIP: where waits poll, they poll both words")
				}
				if restricted != "" {
					defer futex.Restrict(restricted == "no waitv", restricted == "no membarrier")()
				}
				threePolicies(t, wait)
			})
		}
	}
}

func threePolicies(t *testing.T, wait Wait) {
	records := count(30000)
	size := func(seq uint64) int { return int(seq*2654435761) >> 3 & 127 }
	r := newRing(t, Config{Capacity: 1 << 14})
	p, err := r.NewProducer(ProducerConfig{Wait: wait})
	must(t, err)
	var wg sync.WaitGroup
	for i, policy := range []Policy{Reliable, Reliable, Deadline(time.Minute), Lossy, Lossy} {
		c := newConsumer(t, r, ConsumerConfig{Name: fmt.Sprint(i), Policy: policy, Wait: wait})
		wg.Go(func() {
			received, lost, err := follow(background, c, size)
			if err != nil || received+lost != uint64(records) || policy.Gates() && lost != 0 {
				t.Errorf("%v: received %d, lost %d of %d: %v", policy, received, lost, records, err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for seq := uint64(1); seq <= uint64(records); {
		for range 1 + rng.IntN(8) {
			if seq > uint64(records) {
				break
			}
			b, err := p.Reserve(background, size(seq))
			must(t, err)
			copyIn(b, pattern(seq, len(b)))
			seq++
		}
		if rng.IntN(10) == 0 {
			n := p.seq - p.first
			p.Abort()
			seq -= n
			continue
		}
		must(t, p.Commit())
		if rng.IntN(500) == 0 {
			time.Sleep(time.Millisecond) // let everybody fall asleep
		}
	}
	must(t, p.Drain(background))
	must(t, p.Close())
	wg.Wait()
}

func TestConsumersJoinAndLeaveInFullFlight(t *testing.T) {
	r := newRing(t, Config{Capacity: 1 << 14, Slots: 4})
	p := newProducer(t, r)
	size := func(seq uint64) int { return int(seq % 61) }
	stop := make(chan struct{})
	var producing, wg sync.WaitGroup
	producing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			seq := p.Sequence()
			b, err := p.Reserve(background, size(seq))
			if err != nil {
				t.Error(err)
				return
			}
			copyIn(b, pattern(seq, len(b)))
			if err := p.Commit(); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for i := range 4 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 7))
			for range count(300) {
				policy := []Policy{Reliable, Lossy, Deadline(time.Minute)}[rng.IntN(3)]
				from := []Start{Latest, Oldest, Sequence(1 + rng.Uint64N(5000))}[rng.IntN(3)]
				c, err := r.NewConsumer(ConsumerConfig{Policy: policy, From: from})
				if err != nil {
					t.Error(err)
					return
				}
				next := c.Sequence()
				if from.kind == startSequence {
					next = from.seq
				}
				var buf []byte
				for range rng.IntN(50) {
					rec, err := c.Read(background, buf)
					var over *OverrunError
					if errors.As(err, &over) {
						if over.From != next {
							t.Errorf("%v %v: told %v, want from %d", policy, from, over, next)
						}
						next = over.To + 1
						continue
					}
					if err != nil || rec.Sequence != next || !bytes.Equal(rec.Payload(), pattern(next, size(next))) {
						t.Errorf("%v %v: record %d, want %d: %v", policy, from, rec.Sequence, next, err)
						return
					}
					next++
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	producing.Wait()
}

// within runs what must end soon after end was called.
func within(t *testing.T, what string, wait func() error, end func(), want error) (took time.Duration) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- wait() }()
	time.Sleep(2 * time.Millisecond) // asleep by now, mostly
	start := time.Now()
	end()
	select {
	case err := <-done:
		took = time.Since(start)
		if !errors.Is(err, want) {
			t.Errorf("%s: found %v, want %v", what, err, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: still waiting", what)
	}
	return took
}

func TestEveryWaitIsEndedByCancelCloseAndDeath(t *testing.T) {
	defer func(d time.Duration) { sleepBound = d }(sleepBound)
	sleepBound = -1 // nothing may depend on it
	for _, wait := range []Wait{Adaptive, Spin, Yield, Block} {
		for _, noWaitV := range []bool{false, true} {
			if noWaitV && futex.Polls {
				continue // where waits poll, they poll both words
			}
			t.Run(fmt.Sprintf("%v no waitv %v", wait, noWaitV), func(t *testing.T) {
				defer futex.Restrict(noWaitV, false)()
				endWaits(t, wait)
			})
		}
	}
}

func endWaits(t *testing.T, wait Wait) {
	full := func(r *Ring, p *Producer) func(ctx context.Context) error {
		for {
			if _, err := p.TryReserve(100); err != nil {
				break
			}
			must(t, p.Commit())
		}
		return func(ctx context.Context) error { _, err := p.Reserve(ctx, 100); return err }
	}
	open := func() (*Ring, *Producer, *Consumer) {
		r := newRing(t, Config{Capacity: MinCapacity})
		p, err := r.NewProducer(ProducerConfig{Wait: wait})
		must(t, err)
		return r, p, newConsumer(t, r, ConsumerConfig{Wait: wait})
	}
	next := func(c *Consumer) func(ctx context.Context) error {
		return func(ctx context.Context) error { _, err := c.Next(ctx); return err }
	}

	_, p, c := open()
	ctx, cancel := context.WithCancel(background)
	within(t, "consumer, cancel", func() error { return next(c)(ctx) }, cancel, context.Canceled)
	within(t, "consumer, close", func() error { return next(c)(background) }, func() { c.Close() }, os.ErrClosed)
	must(t, p.Close())

	_, p, c = open()
	within(t, "consumer, producer's close", func() error { return next(c)(background) }, func() { p.Close() }, io.EOF)

	r, p, c := open()
	within(t, "consumer, producer's death", func() error { return next(c)(background) }, func() { die(r, p) }, ErrProducerDied)
	ctx, cancel = context.WithCancel(background)
	within(t, "wait for a producer, cancel", func() error { return c.WaitProducer(ctx) }, cancel, context.Canceled)
	within(t, "wait for a producer", func() error { return c.WaitProducer(background) }, func() { newProducer(t, r) }, nil)

	r, p, c = open()
	reserve := full(r, p)
	ctx, cancel = context.WithCancel(background)
	within(t, "producer, cancel", func() error { return reserve(ctx) }, cancel, context.Canceled)
	within(t, "producer, consumer's close", func() error { return reserve(background) }, func() { c.Close() }, nil)
	must(t, p.Close())

	r, p, c = open()
	reserve = full(r, p)
	within(t, "producer, consumer's death", func() error { return reserve(background) }, func() { dieConsumer(r, c) }, nil)
	must(t, p.Close())

	r, p, c = open()
	reserve = full(r, p)
	within(t, "producer, close", func() error { return reserve(background) }, func() { p.Close() }, os.ErrClosed)

	r, p, c = open()
	reserve = full(r, p)
	within(t, "drain, cancel", func() error {
		ctx, cancel := context.WithTimeout(background, 5*time.Millisecond)
		defer cancel()
		err := p.Drain(ctx)
		var lag *LagError
		if !errors.As(err, &lag) || len(lag.Consumers) != 1 || lag.Consumers[0].Records == 0 {
			t.Errorf("found %v, want a LagError that names one", err)
		}
		return err
	}, func() {}, context.DeadlineExceeded)
	must(t, p.Close())
}

// die lets a producer on memory die as if killed: its lock goes, nothing is
// written.
func die(r *Ring, p *Producer) {
	p.unwatch()
	life := r.backing.(*memoryBacking).life
	life.drop(&life.producer)
}

func dieConsumer(r *Ring, c *Consumer) {
	life := r.backing.(*memoryBacking).life
	life.drop(&life.slot[c.slot])
}

func TestWaitingOnViewsThatTheProducerWaitsForIsAnError(t *testing.T) {
	for _, wait := range []Wait{Adaptive, Spin, Yield, Block} {
		r := newRing(t, Config{Capacity: MinCapacity})
		p := newProducer(t, r)
		c := newConsumer(t, r, ConsumerConfig{Wait: wait})
		done := make(chan error, 1)
		go func() {
			for range 100 {
				if _, err := p.Write(make([]byte, 84)); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		views := 0
		for {
			_, err := c.Next(background)
			if errors.Is(err, ErrUnreleased) {
				break
			}
			must(t, err)
			views++
		}
		if views == 0 {
			t.Fatal("no view at all")
		}
		must(t, c.Release())
		for ; views < 100; views++ {
			_, err := c.Next(background)
			must(t, err)
			must(t, c.Release())
		}
		must(t, <-done)
		must(t, p.Close())
	}
}

// The belt and braces off, both sides asleep on most rounds: a lost wake hangs.
func TestPingPongAsleepLosesNoWake(t *testing.T) {
	defer func(d time.Duration) { sleepBound = d }(sleepBound)
	sleepBound = -1
	for _, wait := range []Wait{Block, Adaptive} {
		for _, restricted := range []bool{false, true} {
			func() {
				defer futex.Restrict(false, restricted)()
				there, back := newRing(t, Config{Capacity: MinCapacity}), newRing(t, Config{Capacity: MinCapacity})
				pingPong(t, there, back, wait, count(20000))
			}()
		}
	}
}

func pingPong(t *testing.T, there, back *Ring, wait Wait, rounds int) {
	p1, p2 := newProducer(t, there), newProducer(t, back)
	c1, c2 := newConsumer(t, there, ConsumerConfig{Wait: wait}), newConsumer(t, back, ConsumerConfig{Wait: wait})
	done := make(chan error, 1)
	go func() {
		for range rounds {
			if _, err := c1.Next(background); err != nil {
				done <- err
				return
			}
			if err := c1.Release(); err != nil {
				done <- err
				return
			}
			if _, err := p2.Write([]byte{1}); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for range rounds {
		_, err := p1.Write([]byte{1})
		must(t, err)
		_, err = c2.Next(background)
		must(t, err)
		must(t, c2.Release())
	}
	must(t, <-done)
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	r := newRing(t, Config{Capacity: 1 << 16})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{})
	buf := make([]byte, 64)
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	for name, op := range map[string]func(){
		"Reserve, Next": func() {
			if _, err := p.Reserve(ctx, 64); err != nil {
				t.Fatal(err)
			}
			must(t, p.Commit())
			_, err := c.Next(ctx)
			must(t, err)
			must(t, c.Release())
		},
		"Write, Read": func() {
			_, err := p.Write(buf)
			must(t, err)
			rec, err := c.Read(ctx, buf)
			must(t, err)
			buf = rec.Payload()
		},
	} {
		if n := testing.AllocsPerRun(5000, op); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
	runtime.KeepAlive(r)
}

// Prints what cancel and Close take; whether that is fast is not judged here.
func TestCancelAndCloseOfASleepingConsumer(t *testing.T) {
	var cancels, closes []time.Duration
	for range 100 {
		r := newRing(t, Config{Capacity: MinCapacity})
		c := newConsumer(t, r, ConsumerConfig{Wait: Block})
		wait := func(ctx context.Context) func() error {
			return func() error { _, err := c.Next(ctx); return err }
		}
		ctx, cancel := context.WithCancel(background)
		cancels = append(cancels, within(t, "cancel", wait(ctx), cancel, context.Canceled))
		closes = append(closes, within(t, "close", wait(background), func() { c.Close() }, os.ErrClosed))
	}
	slices.Sort(cancels)
	slices.Sort(closes)
	t.Logf("median of 100: cancel %v, Close %v; slowest %v, %v", cancels[50], closes[50], cancels[99], closes[99])
}

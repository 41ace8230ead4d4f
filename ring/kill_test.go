package ring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

// Processes that are killed with -9. CAROUSEL_KILLS sets how often.

func kills(t *testing.T, n int) int {
	if v, err := strconv.Atoi(os.Getenv("CAROUSEL_KILLS")); err == nil {
		return v
	}
	if testing.Short() {
		return n / 4
	}
	return n
}

// testName is a name in shared memory for one test, and makes sure that
// nothing of it stays.
func testName(t *testing.T) string {
	name := fmt.Sprintf("carousel-test-%d-%s", os.Getpid(), strings.ToLower(strings.NewReplacer("/", "-", "#", "-").Replace(t.Name())))
	name = name[:min(len(name), 100)]
	t.Cleanup(func() {
		if Remove(name) == nil {
			return
		}
		// A test that failed half way may have left a producer to it.
		for _, suffix := range []string{".ring", ".slots"} {
			_ = os.Remove("/dev/shm/" + name + suffix)
		}
	})
	return name
}

// child starts this binary in a role. Its standard error is the test's.
func child(t *testing.T, role string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0]) // not os.Executable, which an emulator hides
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // ends with the test, whatever happens
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

func orphanGuard() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
}

func killSize(seq uint64) int { return int(seq * 2654435761 >> 7 % 600) }

// producerRole publishes without end and notes in a file of its own, mapped
// too, what was acknowledged: Commit returned.
func producerRole() error {
	orphanGuard()
	r, err := Create(os.Getenv("RING"), Config{Capacity: 1 << 16, Checksum: os.Getenv("CHECKSUM") != ""})
	if err != nil {
		return err
	}
	f, err := shm.Open(os.Getenv("ACK"), shm.ReadWrite)
	if err != nil {
		return err
	}
	m, err := f.Map(shm.ReadWrite)
	if err != nil {
		return err
	}
	ack := segmentOf(m.Bytes())
	p, err := r.NewProducer()
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), 3))
	for {
		for range 1 + rng.IntN(5) {
			seq := p.Sequence()
			b, err := p.Reserve(context.Background(), killSize(seq))
			if err != nil {
				return err
			}
			copy(b, pattern(seq, len(b)))
		}
		store64(ack.w64(8), p.Sequence()-1) // in flight
		if err := p.Commit(); err != nil {
			return err
		}
		store64(ack.w64(0), p.Sequence()-1) // acknowledged
		if rng.IntN(200) == 0 {
			time.Sleep(time.Duration(rng.IntN(300)) * time.Microsecond)
		}
	}
}

// ackFile is the file in which producerRole notes.
func ackFile(t *testing.T) (path string, acked, flight func() uint64) {
	path = filepath.Join(t.TempDir(), "ack")
	f, err := shm.Create(path, 4096, 0o600)
	must(t, err)
	must(t, f.Publish())
	m, err := f.Map(shm.ReadWrite)
	must(t, err)
	t.Cleanup(func() { m.Unmap(); f.Close() })
	s := segmentOf(m.Bytes())
	return path, func() uint64 { return load64(s.w64(0)) }, func() uint64 { return load64(s.w64(8)) }
}

// K1: a producer is killed at random moments under load and started again on
// the same ring, with three consumers attached throughout.
func TestProducerKilledAtRandomLosesNothing(t *testing.T) {
	n := kills(t, 40)
	name := testName(t)
	r, err := Create(name, Config{Capacity: 1 << 16})
	must(t, err)
	defer r.Close()
	path, acked, flight := ackFile(t)

	var killedAt atomic.Int64 // nanoseconds since start
	start := time.Now()
	var mu sync.Mutex
	var notices []time.Duration
	done := make(chan struct{})
	var wg sync.WaitGroup
	last := make([]atomic.Uint64, 3)
	end := sync.OnceFunc(func() { close(done); wg.Wait() })
	defer end()
	for i, wait := range []Wait{Adaptive, Block, Yield} {
		c, err := r.NewConsumer(ConsumerConfig{Name: fmt.Sprint("consumer ", i), Wait: wait})
		must(t, err)
		wg.Go(func() {
			defer c.Close()
			var buf []byte
			for next := uint64(1); ; {
				ctx, cancel := context.WithCancel(background)
				stop := context.AfterFunc(doneContext(done), cancel)
				rec, err := c.Read(ctx, buf)
				if errors.Is(err, ErrProducerDied) {
					took := time.Since(start) - time.Duration(killedAt.Load())
					mu.Lock()
					notices = append(notices, took)
					mu.Unlock()
					err = c.WaitProducer(ctx)
					stop()
					cancel()
					if err == nil {
						continue
					}
				}
				stop()
				cancel()
				if errors.Is(err, context.Canceled) {
					return
				}
				if err != nil || rec.Sequence != next || !bytes.Equal(rec.Payload(), pattern(next, killSize(next))) {
					t.Errorf("consumer %d: record %d of %d bytes, want %d: %v", i, rec.Sequence, len(rec.Payload()), next, err)
					return
				}
				buf = rec.Payload()
				last[i].Store(next)
				next++
			}
		})
	}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for k := range n {
		cmd := child(t, "producer", "RING="+name, "ACK="+path)
		waitFor(t, "the new producer's records", func() bool { return acked() > 0 && r.Epoch() > uint64(k) })
		time.Sleep(time.Duration(rng.IntN(4000)) * time.Microsecond)
		killedAt.Store(int64(time.Since(start)))
		must(t, cmd.Process.Kill())
		_ = cmd.Wait()
		// All get what was acknowledged, and at most the batch in flight.
		low, high := acked(), flight()
		waitFor(t, "what was acknowledged", func() bool {
			for i := range last {
				if last[i].Load() < low {
					return false
				}
			}
			return true
		})
		waitFor(t, "three notices", func() bool { mu.Lock(); defer mu.Unlock(); return len(notices) >= 3*(k+1) || t.Failed() })
		for i := range last {
			if got := last[i].Load(); got > high || got != last[0].Load() {
				t.Fatalf("kill %d: consumer %d has %d records; acknowledged %d, in flight %d, first consumer %d", k, i, got, low, high, last[0].Load())
			}
		}
		if t.Failed() {
			break
		}
	}
	end()
	slices.Sort(notices)
	if len(notices) > 0 {
		t.Logf("%d kills, %d records: 0 torn, 0 duplicated, 0 acknowledged lost; death told after %v median, %v at most",
			n, last[0].Load(), notices[len(notices)/2], notices[len(notices)-1])
	}
}

func doneContext(done <-chan struct{}) context.Context {
	ctx, cancel := context.WithCancel(background)
	go func() { <-done; cancel() }()
	return ctx
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for start := time.Now(); !ok(); time.Sleep(50 * time.Microsecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("waited 10 s for %s", what)
		}
	}
}

// consumerRole attaches and reads slowly, so that it is in the way when killed.
func consumerRole() error {
	orphanGuard()
	r, err := Open(os.Getenv("RING"))
	if err != nil {
		return err
	}
	c, err := r.NewConsumer(ConsumerConfig{})
	if err != nil {
		return err
	}
	fmt.Println("joined")
	for i := 0; ; i++ {
		if _, err := c.Next(context.Background()); err != nil {
			return err
		}
		if i%64 == 0 {
			if err := c.Release(); err != nil && !errors.Is(err, ErrUnreleased) {
				return err
			}
		}
		if i%5000 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

// K3: consumers are killed at random; the producer hardly waits for the dead,
// the survivor does not notice, and nothing stays in this process.
func TestConsumersKilledAtRandomHoldNobodyUp(t *testing.T) {
	n := kills(t, 40)
	name := testName(t)
	r, err := Create(name, Config{Capacity: 1 << 16, Slots: 3})
	must(t, err)
	defer r.Close()
	p := newProducer(t, r)
	survivor := newConsumer(t, r, ConsumerConfig{Name: "survivor"})

	stop := make(chan struct{})
	var slowest atomic.Int64
	var killing atomic.Bool
	var wg sync.WaitGroup
	end := sync.OnceFunc(func() { close(stop); wg.Wait() })
	defer end()
	size := func(seq uint64) int { return int(seq % 200) }
	wg.Go(func() {
		for {
			select {
			case <-stop:
				if err := p.Close(); err != nil {
					t.Error(err)
				}
				return
			default:
			}
			seq := p.Sequence()
			start := time.Now()
			b, err := p.Reserve(background, size(seq))
			if err != nil {
				t.Error(err)
				return
			}
			if took := time.Since(start); killing.Load() {
				slowest.Store(max(slowest.Load(), int64(took)))
			}
			copy(b, pattern(seq, len(b)))
			if err := p.Commit(); err != nil {
				t.Error(err)
				return
			}
		}
	})
	wg.Go(func() {
		received, lost, err := follow(background, survivor, size)
		if err != nil || lost != 0 {
			t.Errorf("survivor: received %d, lost %d: %v", received, lost, err)
		}
	})
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	before := resources()
	for k := range n {
		cmd := child(t, "consumer", "RING="+name)
		waitFor(t, "the consumer to join", func() bool { return p.attachedNow(r) == 2 })
		killing.Store(true)
		time.Sleep(time.Duration(rng.IntN(3000)) * time.Microsecond)
		must(t, cmd.Process.Kill())
		_ = cmd.Wait()
		waitFor(t, "the dead to be no more", func() bool { return p.attachedNow(r) == 1 })
		before.check(t, k)
	}
	end()
	t.Logf("%d kills: the producer waited %v at most", n, time.Duration(slowest.Load()))
}

// attachedNow counts live consumers without the producer's handle.
func (p *Producer) attachedNow(r *Ring) (n int) {
	s, err := r.Stats()
	if err != nil {
		return -1
	}
	for _, c := range s.Consumers {
		if c.Alive {
			n++
		}
	}
	return n
}

type resource struct{ descriptors, mappings, goroutines int }

// resources counts what this process holds. Zero where /proc is not to be had.
func resources() resource {
	fds, _ := os.ReadDir("/proc/self/fd")
	maps, _ := os.ReadFile("/proc/self/maps")
	return resource{len(fds), bytes.Count(maps, []byte(".ring\n")) + bytes.Count(maps, []byte(".slots\n")), runtime.NumGoroutine()}
}

func (before resource) check(t *testing.T, k int) {
	t.Helper()
	waitFor(t, fmt.Sprintf("resources to be back after kill %d: before %+v", k, before), func() bool {
		now := resources()
		return now.mappings <= before.mappings && now.descriptors <= before.descriptors+2 && now.goroutines <= before.goroutines+4
	})
}

// holdRole makes or opens the ring, takes a role, says so and waits to be killed.
func holdRole() error {
	orphanGuard()
	r, err := Create(os.Getenv("RING"), Config{Capacity: 1 << 16})
	if err != nil {
		return err
	}
	if os.Getenv("AS") == "consumer" {
		if _, err := r.NewConsumer(ConsumerConfig{}); err != nil {
			return err
		}
	} else {
		p, err := r.NewProducer()
		if err != nil {
			return err
		}
		for range 10 {
			if _, err := p.Write([]byte("before the kill")); err != nil {
				return err
			}
		}
	}
	fmt.Println("ready")
	select {}
}

// K4: everything is killed; the next start works at once.
func TestEverythingKilledAndStartedAgain(t *testing.T) {
	name := testName(t)
	for k := range kills(t, 8) {
		var all []*exec.Cmd
		for _, as := range []string{"producer", "consumer", "consumer"} {
			all = append(all, child(t, "hold", "RING="+name, "AS="+as))
		}
		waitFor(t, "all to be there", func() bool {
			r, err := Open(name)
			if err != nil {
				return false
			}
			defer r.Close()
			s, err := r.Stats()
			alive := 0
			for _, c := range s.Consumers {
				if c.Alive {
					alive++
				}
			}
			return err == nil && alive == 2 && len(s.Consumers) == 2 &&
				s.Producer.Alive && s.Epoch == uint64(2*k+1) && s.Producer.Published == uint64(k*11+10)
		})
		for _, cmd := range all {
			must(t, cmd.Process.Kill())
		}
		for _, cmd := range all {
			_ = cmd.Wait()
		}
		start := time.Now()
		r, err := Create(name, Config{Capacity: 1 << 16})
		must(t, err)
		p, err := r.NewProducer()
		must(t, err)
		c, err := r.NewConsumer(ConsumerConfig{From: Oldest})
		must(t, err)
		_, err = p.Write([]byte("after the kill"))
		must(t, err)
		if took := time.Since(start); took > time.Second {
			t.Errorf("the start after the kill took %v", took)
		}
		var n uint64
		for {
			rec, err := c.TryNext()
			if errors.Is(err, ErrEmpty) {
				break
			}
			must(t, err)
			if n == 0 {
				n = rec.Sequence - 1 // the oldest kept
			}
			if n++; rec.Sequence != n {
				t.Fatalf("record %d, want %d", rec.Sequence, n)
			}
		}
		if n != uint64(k+1)*11 {
			t.Fatalf("ends with record %d, want %d", n, (k+1)*11)
		}
		must(t, c.Close())
		// Left without Close, as by a kill: the lock goes, nothing is written.
		must(t, p.unlock())
		p.unwatch()
		must(t, p.unmap())
		must(t, p.backing.release())
		must(t, r.Close())
	}
}

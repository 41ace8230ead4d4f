package futex_test

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/futex"
)

// enough bounds what is expected to end much sooner.
const enough = 30 * time.Second

func TestWaitReturnsWhenTheValueDiffers(t *testing.T) {
	word := uint32(1)
	for _, d := range []time.Duration{-1, 0, time.Nanosecond, time.Hour} {
		if err := futex.Wait(&word, 2, d); err != nil {
			t.Errorf("Wait with bound %v: %v", d, err)
		}
	}
}

func TestWaitTimesOut(t *testing.T) {
	word := uint32(1)
	for _, d := range []time.Duration{0, time.Microsecond, 20 * time.Millisecond} {
		var took time.Duration
		var err error
		for i := 0; i < 100 && err == nil; i++ { // it may return early
			begin := time.Now()
			err = futex.Wait(&word, 1, d)
			took = time.Since(begin)
		}
		if !errors.Is(err, futex.ErrTimeout) || took < d {
			t.Errorf("bound %v: found %v after %v, wanted ErrTimeout", d, err, took)
		}
	}
}

// TestNoLostWake plays a word to and fro. A wake that is lost leaves both sides
// asleep.
func TestNoLostWake(t *testing.T) {
	rounds := uint32(20_000)
	if testing.Short() {
		rounds = 2_000
	}
	pingPong(t, rounds, new(uint32), nil, waitAny)
}

func TestNoLostWakeEither(t *testing.T) {
	if !futex.CanWaitEither() {
		t.Skip("SKIP: this kernel does not wait on two words")
	}
	own := make([]uint32, 2)
	pingPong(t, 5_000, new(uint32), own, func(word *uint32, val uint32, own *uint32) error {
		return futex.WaitEither(word, val, own, 0, enough)
	})
}

func waitAny(word *uint32, val uint32, _ *uint32) error { return futex.Wait(word, val, enough) }

// pingPong has two goroutines count word up in turns, each asleep while it is
// the other one's turn.
func pingPong(t *testing.T, rounds uint32, word *uint32, own []uint32, wait func(*uint32, uint32, *uint32) error) {
	t.Helper()
	var both sync.WaitGroup
	for side := range uint32(2) {
		both.Go(func() {
			for turn := side; turn < rounds; turn += 2 {
				for {
					v := atomic.LoadUint32(word)
					if v == turn {
						break
					}
					var mine *uint32
					if own != nil {
						mine = &own[side]
					}
					if err := wait(word, v, mine); err != nil {
						t.Errorf("turn %d: %v", turn, err)
						atomic.AddUint32(word, rounds) // ends the other side, too
						futex.Wake(word)
						return
					}
					if atomic.LoadUint32(word) >= rounds {
						return
					}
				}
				atomic.AddUint32(word, 1)
				futex.Wake(word)
			}
		})
	}
	both.Wait()
}

func TestWaitEitherIsWokenByEitherWord(t *testing.T) {
	if !futex.CanWaitEither() {
		t.Skip("SKIP: this kernel does not wait on two words")
	}
	wakes := map[string]func(shared, own *uint32){
		"shared": func(shared, _ *uint32) { atomic.AddUint32(shared, 1); futex.Wake(shared) },
		"own":    func(_, own *uint32) { atomic.AddUint32(own, 1); futex.WakeOwn(own) },
	}
	for name, wake := range wakes {
		t.Run(name, func(t *testing.T) {
			shared, own := new(uint32), new(uint32)
			done := make(chan error)
			go func() {
				for atomic.LoadUint32(shared) == 0 && atomic.LoadUint32(own) == 0 {
					if err := futex.WaitEither(shared, 0, own, 0, enough); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
			time.Sleep(20 * time.Millisecond) // most likely asleep by now
			wake(shared, own)
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWaitEitherLooksAtBothWords(t *testing.T) {
	if !futex.CanWaitEither() {
		t.Skip("SKIP: this kernel does not wait on two words")
	}
	shared, own := new(uint32), new(uint32)
	if err := futex.WaitEither(shared, 1, own, 0, -1); err != nil {
		t.Errorf("with another shared word: %v", err)
	}
	if err := futex.WaitEither(shared, 0, own, 1, -1); err != nil {
		t.Errorf("with another own word: %v", err)
	}
	const bound = 5 * time.Millisecond
	begin := time.Now()
	var err error
	for i := 0; i < 100 && err == nil; i++ {
		begin = time.Now()
		err = futex.WaitEither(shared, 0, own, 0, bound)
	}
	if !errors.Is(err, futex.ErrTimeout) || time.Since(begin) < bound {
		t.Errorf("found %v after %v, wanted ErrTimeout after %v", err, time.Since(begin), bound)
	}
	if err := futex.WaitEither(shared, 0, own, 0, 0); !errors.Is(err, futex.ErrTimeout) {
		t.Errorf("bound 0: found %v, wanted ErrTimeout", err)
	}
}

// TestCollectWhileAsleep collects garbage while many goroutines sleep: it must
// neither wait for them nor wake them.
func TestCollectWhileAsleep(t *testing.T) {
	const sleepers = 50
	word := new(uint32)
	var asleep, all sync.WaitGroup
	asleep.Add(sleepers)
	for range sleepers {
		all.Go(func() {
			asleep.Done()
			for atomic.LoadUint32(word) == 0 {
				if err := futex.Wait(word, 0, -1); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	asleep.Wait()
	time.Sleep(20 * time.Millisecond)
	begin := time.Now()
	for range 5 {
		runtime.GC()
	}
	t.Logf("5 collections with %d sleepers: %v", sleepers, time.Since(begin))
	atomic.StoreUint32(word, 1)
	futex.Wake(word)
	all.Wait()
}

func TestWakeAndYieldDoNotBlock(t *testing.T) {
	word := new(uint32)
	futex.Wake(word)
	futex.WakeOwn(word)
	futex.Yield()
}

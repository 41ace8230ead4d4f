//go:build !linux || carousel_portable

package futex

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// The pauses between two looks at a word: short at first, for a change that is
// just about to come, then longer, so that a long wait costs little.
const (
	shortestPause = 20 * time.Microsecond
	longestPause  = time.Millisecond
)

// Polls is true where no kernel wakes anybody: waits look at their words again
// and again, and Wake has no effect.
const Polls = true

func wait(addr *uint32, val uint32, d time.Duration) error {
	return poll(d, func() bool { return atomic.LoadUint32(addr) != val })
}

func waitEither(shared *uint32, val uint32, own *uint32, ownVal uint32, d time.Duration) error {
	if !CanWaitEither() {
		return errRestricted
	}
	return poll(d, func() bool {
		return atomic.LoadUint32(shared) != val || atomic.LoadUint32(own) != ownVal
	})
}

// poll looks until changed says true or d has passed, and once more then.
func poll(d time.Duration, changed func() bool) error {
	begin := time.Now()
	for pause := shortestPause; !changed(); pause = min(2*pause, longestPause) {
		if d >= 0 {
			left := d - time.Since(begin)
			if left <= 0 {
				return ErrTimeout
			}
			pause = min(pause, left)
		}
		time.Sleep(pause)
	}
	return nil
}

func canWaitEither() bool { return true }

func wake(*uint32, uintptr) {}

func wakeOwn(*uint32) {}

func yield() { runtime.Gosched() }

func registerGlobal() bool { return false }

func barrierGlobal() error {
	return fmt.Errorf("futex: membarrier on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

//go:build linux && !carousel_portable

package hostile

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// Commands of futex(2), for memory that processes share.
const (
	futexWait          = 0
	futexWake          = 1
	futexRequeue       = 3
	futexCmpRequeue    = 4
	futexWakeOp        = 5
	futexLockPI        = 6
	futexUnlockPI      = 7
	futexTrylockPI     = 8
	futexWaitBitset    = 9
	futexWaitRequeuePI = 11
	futexCmpRequeuePI  = 12

	sysFutexRequeue = 456
)

// By way of futexes: a mapping for reading is enough to wake, and to move,
// whoever sleeps on a word of it.
var sleepAttempts = []attempt{
	{"wake", "wake on every word of the producer's pages, and of its slot", none, func(a *attacker) (string, error) {
		n := 0
		for at := range uintptr(3 * page / 4) {
			woken, err := call(unix.SYS_FUTEX, address(a.view)+4*at, futexWake, math.MaxInt32)
			if err != nil {
				return "", err
			}
			n += woken
		}
		for at := range uintptr(page / 4) {
			woken, err := call(unix.SYS_FUTEX, address(a.own)+4*at, futexWake, math.MaxInt32)
			if err != nil {
				return "", err
			}
			n += woken
		}
		return fmt.Sprintf("%d woken", n), nil
	}},
	{"requeue", "move whoever sleeps on a word of the producer's pages onto a word of its own", none, func(a *attacker) (string, error) {
		return a.requeue(a.view[:3*page], func(from uintptr) (int, error) {
			return call(unix.SYS_FUTEX, from, futexRequeue, 0, math.MaxInt32, address(a.own)+slotBell)
		})
	}},
	{"requeue-in-ring", "the same from every word of the ring itself", none, func(a *attacker) (string, error) {
		return a.requeue(a.view[3*page:], func(from uintptr) (int, error) {
			return call(unix.SYS_FUTEX, from, futexRequeue, 0, math.MaxInt32, address(a.own)+slotBell)
		})
	}},
	{"requeue-own", "the same from every word of its slot, on which the producer may sleep", none, func(a *attacker) (string, error) {
		return a.requeue(a.own, func(from uintptr) (int, error) {
			return call(unix.SYS_FUTEX, from, futexRequeue, 0, math.MaxInt32, address(a.view))
		})
	}},
	{"cmp-requeue", "the same, if the word has its value", none, func(a *attacker) (string, error) {
		return a.requeue(a.view[page:2*page], func(from uintptr) (int, error) {
			at := int(from - address(a.view))
			return call(unix.SYS_FUTEX, from, futexCmpRequeue, 0, math.MaxInt32, address(a.own)+slotBell, uintptr(get32(a.view, at)))
		})
	}},
	{"futex2-requeue", "the same by futex_requeue(2)", none, func(a *attacker) (string, error) {
		// Two struct futex_waitv: value 8, address 8, flags 4 (32 bits, shared), 0 4.
		return a.requeue(a.view[page:2*page], func(from uintptr) (int, error) {
			pair := a.scratch[:48]
			clear(pair)
			put64(pair, 0, uint64(get32(a.view, int(from-address(a.view)))))
			put64(pair, 8, uint64(from))
			put32(pair, 16, 2)
			put64(pair, 32, uint64(address(a.own)+slotBell))
			put32(pair, 40, 2)
			return call(sysFutexRequeue, address(pair), 0, 0, math.MaxInt32)
		})
	}},
	{"wake-op", "FUTEX_WAKE_OP: have the kernel store to a word of the mapping", none, func(a *attacker) (string, error) {
		const set42 = 0<<28 | 42<<12
		return result(call(unix.SYS_FUTEX, address(a.own)+slotBell, futexWakeOp, 0, 0, address(a.view)+producerWords, set42))
	}},
	{"lock-pi", "FUTEX_LOCK_PI, TRYLOCK_PI, UNLOCK_PI on a word of the mapping", none, func(a *attacker) (string, error) {
		word := address(a.view) + 2*page - 64 // nothing is there: zero
		var errs []error
		for _, op := range []uintptr{futexTrylockPI, futexLockPI, futexUnlockPI} {
			_, err := call(unix.SYS_FUTEX, word, op, 0, 0)
			if err == nil {
				return fmt.Sprintf("operation %d went through", op), nil
			}
			errs = append(errs, err)
		}
		return "", errors.Join(errs...)
	}},
	{"cmp-requeue-pi", "FUTEX_CMP_REQUEUE_PI onto a word of the mapping", none, func(a *attacker) (string, error) {
		return result(call(unix.SYS_FUTEX, address(a.own)+slotBell, futexCmpRequeuePI, 1, math.MaxInt32, address(a.view)+producerWords, uintptr(get32(a.own, slotBell))))
	}},
	{"sleepers", "a hundred threads that sleep on words of the producer's pages and on its own bell", none, func(a *attacker) (string, error) {
		return a.sleepers(100)
	}},
	{"membarrier", "a thousand barriers for all processes that registered", none, func(a *attacker) (string, error) {
		const globalExpedited = 1 << 1
		for range 1000 {
			if _, err := call(unix.SYS_MEMBARRIER, globalExpedited); err != nil {
				return "", err
			}
		}
		return "issued", nil
	}},
}

// requeue moves from each word of memory and says how many were moved.
func (a *attacker) requeue(memory []byte, move func(from uintptr) (int, error)) (string, error) {
	n := 0
	for at := 0; at < len(memory); at += 4 {
		moved, err := move(address(memory) + uintptr(at))
		if err != nil {
			return "", err
		}
		n += moved
	}
	return fmt.Sprintf("%d moved", n), nil
}

// sleepers has so many threads sleep, so that a wake might choose them and
// takes long if it wakes all. They end with undo.
func (a *attacker) sleepers(n int) (string, error) {
	var all sync.WaitGroup
	stop := make(chan struct{})
	words := []uintptr{address(a.own) + slotBell, address(a.view) + producerWords, address(a.view) + producerWords + 7*128}
	values := []func() uint32{
		func() uint32 { return get32(a.own, slotBell) },
		func() uint32 { return get32(a.view, producerWords) },
		func() uint32 { return get32(a.view, producerWords+7*128) },
	}
	limit := a.scratch[1024:1040]
	clear(limit)
	put64(limit, 8, 50_000_000) // struct timespec on 64 bits: 50 ms
	for i := range n {
		all.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, _ = call(unix.SYS_FUTEX, words[i%len(words)], futexWait, uintptr(values[i%len(words)]()), address(limit))
			}
		})
	}
	a.later(func() error { close(stop); all.Wait(); return nil })
	return "asleep", nil
}

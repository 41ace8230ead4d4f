package futex

import (
	"errors"
	"math"
	"time"
)

// ErrTimeout says that the bound of a wait passed and that the word, or both
// words, still had the value given. It comes back as it is, not wrapped.
var ErrTimeout = errors.New("futex: the bound of the wait passed and nothing changed")

// Wait sleeps while *addr equals val, for at most d; a negative d is no bound.
//
// It returns nil when it was woken, when the word differs from val, and also
// for no reason at all (a signal is one): callers loop over a condition of
// their own and shorten d as they go, without letting it become negative. It
// returns [ErrTimeout] when d passed with the word unchanged. Any other error
// means that addr is not in memory that can be waited on.
//
// addr may be in memory shared with other processes, mapped read-only or
// read-write, or on the Go heap. The memory stays mapped until Wait returns.
func Wait(addr *uint32, val uint32, d time.Duration) error {
	return wait(addr, val, d)
}

// WaitEither sleeps while *shared equals val and *own equals ownVal, for at
// most d. It returns as [Wait] does; the caller looks for itself which of the
// two words changed.
//
// shared is as in Wait, and is woken by [Wake]. own belongs to this process
// alone, may live on the Go heap, and is woken by [WakeOwn] only.
//
// Where [CanWaitEither] is false the error wraps [errors.ErrUnsupported].
func WaitEither(shared *uint32, val uint32, own *uint32, ownVal uint32, d time.Duration) error {
	return waitEither(shared, val, own, ownVal, d)
}

// CanWaitEither reports whether [WaitEither] works here. Kernels before 5.16
// have no wait on two words, and seccomp filters may refuse it. The kernel is
// asked once, and believed when [WaitEither] is refused later: from the moment
// at which that returns its error, CanWaitEither is false.
func CanWaitEither() bool {
	return !limits.noWaitV.Load() && canWaitEither()
}

// Wake wakes everybody who sleeps on a shared word, in whatever process. The
// caller has changed the word before. Wake does not block and does not fail;
// without sleepers it costs one system call.
func Wake(addr *uint32) { wake(addr, math.MaxInt32) }

// WakeOne is Wake for words on which nobody sleeps but one thread: however
// many others a hostile process lets sleep there, it wakes one of them, and
// does not take longer.
func WakeOne(addr *uint32) { wake(addr, 1) }

// WakeOwn wakes those who sleep in [WaitEither] with addr as their own word.
func WakeOwn(addr *uint32) { wakeOwn(addr) }

// Yield gives up the processor to whatever else wants to run on it, in this
// process or another one. Where there is no such call, only to the goroutines
// of this process.
func Yield() { yield() }

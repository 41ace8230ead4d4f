//go:build linux && !carousel_portable

package futex

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// waitWord is struct futex_waitv of linux/futex.h. Its address is an integer:
// the kernel's layout is the same for 32 and 64 bits.
type waitWord struct {
	val   uint64
	addr  uint64
	flags uint32
	_     uint32
}

const (
	waitv32      = 2   // the word has 32 bits
	waitvPrivate = 128 // the word belongs to this process alone
)

// kernelTimespec is struct __kernel_timespec: 64 bits each, on every
// architecture.
type kernelTimespec struct{ sec, nsec int64 }

func waitEither(shared *uint32, val uint32, own *uint32, ownVal uint32, d time.Duration) error {
	if !CanWaitEither() {
		return fmt.Errorf("futex: wait on two words: %w", unix.ENOSYS)
	}
	if d == 0 {
		return unchangedBoth(shared, val, own, ownVal)
	}
	switch errno := waitv(shared, val, own, ownVal, d); errno {
	case 0, unix.EAGAIN, unix.EINTR:
		return nil
	case unix.ETIMEDOUT:
		return unchangedBoth(shared, val, own, ownVal)
	case unix.ENOSYS, unix.EPERM:
		refused.Store(true)
		return fmt.Errorf("futex: wait on two words: %w", errno)
	default:
		return fmt.Errorf("futex: wait on two words: %w", errno)
	}
}

func unchangedBoth(shared *uint32, val uint32, own *uint32, ownVal uint32) error {
	if atomic.LoadUint32(own) != ownVal {
		return nil
	}
	return unchanged(shared, val)
}

// waitv issues the call. The pins keep words that are Go memory alive and,
// should they have been on a stack, off it, since the kernel is handed integers
// which the runtime does not follow. Memory that is not Go's is left alone.
func waitv(shared *uint32, val uint32, own *uint32, ownVal uint32, d time.Duration) unix.Errno {
	var pins runtime.Pinner
	defer pins.Unpin()
	pins.Pin(shared)
	pins.Pin(own)
	words := [2]waitWord{
		{val: uint64(val), addr: uint64(uintptr(unsafe.Pointer(shared))), flags: waitv32},
		{val: uint64(ownVal), addr: uint64(uintptr(unsafe.Pointer(own))), flags: waitv32 | waitvPrivate},
	}
	var until *kernelTimespec
	if d > 0 {
		// The bound of this call is a point in time, unlike that of futex(2).
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
			return unix.EINVAL
		}
		sec, nsec := now.Unix()
		t := nsec + int64(min(d, longest)%time.Second)
		until = &kernelTimespec{
			sec:  sec + int64(min(d, longest)/time.Second) + t/int64(time.Second),
			nsec: t % int64(time.Second),
		}
	}
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX_WAITV, uintptr(unsafe.Pointer(&words)), uintptr(len(words)), 0,
		uintptr(unsafe.Pointer(until)), unix.CLOCK_MONOTONIC, 0)
	return errno
}

// refused is set when the kernel says no to a call that it had said yes to: the
// process has put a filter on itself meanwhile.
var refused atomic.Bool

func canWaitEither() bool { return !refused.Load() && knowsWaitv() }

// knowsWaitv waits for words that differ already: a kernel that has the call
// says so at once, and any other answer means that it cannot be used.
var knowsWaitv = sync.OnceValue(func() bool {
	shared, own := new(uint32), new(uint32)
	return waitv(shared, 1, own, 1, -1) == unix.EAGAIN
})

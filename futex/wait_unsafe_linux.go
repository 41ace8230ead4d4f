//go:build linux && !carousel_portable

package futex

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Operations of futex(2), from linux/futex.h.
const (
	opWait    = 0
	opWake    = 1
	opPrivate = 128
)

// longest bounds every timed wait, so that its seconds fit the 32 bits that
// futex(2) has for them on 32-bit systems.
const longest = 1 << 30 * time.Second

// wait goes through Syscall6, which hands the scheduler's processor on while
// the thread sleeps. Through RawSyscall6 the next garbage collection would
// wait for the sleeper.
func wait(addr *uint32, val uint32, d time.Duration) error {
	if d == 0 {
		return unchanged(addr, val)
	}
	var ts *unix.Timespec
	if d > 0 {
		t := unix.NsecToTimespec(int64(min(d, longest)))
		ts = &t
	}
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), opWait, uintptr(val),
		uintptr(unsafe.Pointer(ts)), 0, 0)
	switch errno {
	case 0, unix.EAGAIN, unix.EINTR:
		return nil
	case unix.ETIMEDOUT:
		return unchanged(addr, val)
	default:
		return fmt.Errorf("futex: wait: %w", errno)
	}
}

// unchanged is the verdict when the time is over.
func unchanged(addr *uint32, val uint32) error {
	if atomic.LoadUint32(addr) != val {
		return nil
	}
	return ErrTimeout
}

// wake goes through RawSyscall6: the kernel does not block in it. Its only
// errors are addresses that are not mapped, where nobody can be asleep.
func wake(addr *uint32, most uintptr) {
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), opWake, most, 0, 0, 0)
}

func wakeOwn(addr *uint32) {
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), opWake|opPrivate, math.MaxInt32, 0, 0, 0)
}

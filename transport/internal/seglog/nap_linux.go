package seglog

import (
	"syscall"
	"time"
)

// nap is what an adaptive reader does before it has itself woken. Where records
// come densely, each look finds many of them, the producer has nobody to tell,
// and the lines that it writes are not taken away from it. The runtime's own
// sleep would last a millisecond.
func nap() {
	t := syscall.NsecToTimespec(int64(20 * time.Microsecond)) // and 50 more, which the kernel takes
	_ = syscall.Nanosleep(&t, nil)
}

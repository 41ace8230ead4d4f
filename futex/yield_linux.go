//go:build linux && !carousel_portable

package futex

import "golang.org/x/sys/unix"

// yield goes through Syscall: other threads may run for milliseconds before
// this one returns, and a garbage collection need not wait for that.
func yield() { _, _, _ = unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

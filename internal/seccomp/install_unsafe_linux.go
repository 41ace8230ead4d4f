package seccomp

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Install puts f on every thread of this process, for good. Programs that it
// executes keep it, and get no privileges by being executed.
func Install(f Filter) error {
	p, err := f.program()
	if err != nil {
		return err
	}
	// The promise is the thread's; the kernel hands it on with the filter.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("seccomp: give up new privileges: %w", err)
	}
	const setModeFilter = 1
	prog := unix.SockFprog{Len: uint16(len(p)), Filter: unsafe.SliceData(p)}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	switch {
	case errno != 0:
		return fmt.Errorf("seccomp: install a filter of %d instructions: %w", len(p), errno)
	case thread != 0:
		return fmt.Errorf("seccomp: wanted one filter on all threads, found another on thread %d", thread)
	}
	return nil
}

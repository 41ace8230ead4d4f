//go:build linux && !carousel_portable

package futex

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Commands of membarrier(2), from linux/membarrier.h; the query answers with
// the sum of those that are known.
const (
	cmdQuery                   = 0
	cmdGlobalExpedited         = 1 << 1
	cmdRegisterGlobalExpedited = 1 << 2
)

func registerGlobal() bool {
	const need = cmdGlobalExpedited | cmdRegisterGlobalExpedited
	known, err := membarrier(cmdQuery)
	if err != nil || known&need != need {
		return false
	}
	_, err = membarrier(cmdRegisterGlobalExpedited)
	return err == nil
}

func barrierGlobal() error {
	_, err := membarrier(cmdGlobalExpedited)
	return err
}

// membarrier goes through Syscall: both registering and fencing may block.
func membarrier(cmd uintptr) (uintptr, error) {
	r, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, cmd, 0, 0)
	if errno != 0 {
		return 0, fmt.Errorf("futex: membarrier command %d: %w", cmd, errno)
	}
	return r, nil
}

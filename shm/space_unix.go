//go:build unix

package shm

import (
	"errors"
	"math"
	"syscall"

	"golang.org/x/sys/unix"
)

// fileSizeLimit returns how large this process may make a file. Beyond it the
// kernel sends SIGXFSZ, which kills.
func fileSizeLimit() uint64 {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &l); err != nil {
		return math.MaxUint64
	}
	return uint64(l.Cur)
}

func isNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

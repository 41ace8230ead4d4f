//go:build linux && !carousel_portable

package shm

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// LockDir locks a folder against everybody else who locks it this way, for
// steps that take more than one look at a name in it. It leaves nothing behind,
// however the process ends. It waits for others at most patience; the error
// wraps [ErrLocked] then.
func LockDir(dir string, patience time.Duration) (unlock func() error, err error) {
	file, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, fmt.Errorf("shm: lock a folder: %w", err)
	}
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		err = control(file, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
		if err == nil {
			return file.Close, nil
		}
		busy := errors.Is(err, unix.EWOULDBLOCK)
		if busy && time.Since(start) > patience {
			err = fmt.Errorf("%w: wanted it free within %v", ErrLocked, patience)
			busy = false
		}
		if !busy && !errors.Is(err, unix.EINTR) {
			_ = file.Close()
			return nil, fmt.Errorf("shm: lock the folder %s: %w", dir, err)
		}
	}
}

//go:build (linux && carousel_portable) || darwin || dragonfly || freebsd || netbsd || openbsd

package shm

import (
	"os"

	"golang.org/x/sys/unix"
)

// flock takes a lock on the whole file, or changes the one it has, unless
// others hold one that conflicts.
func flock(file *os.File, exclusive bool) (bool, error) {
	how := unix.LOCK_SH | unix.LOCK_NB
	if exclusive {
		how = unix.LOCK_EX | unix.LOCK_NB
	}
	err := control(file, func(fd int) error {
		for {
			if err := unix.Flock(fd, how); err != unix.EINTR {
				return err
			}
		}
	})
	if err == unix.EWOULDBLOCK {
		return false, nil
	}
	return err == nil, os.NewSyscallError("flock", err)
}

// dropLock removes the lock file while it is still locked, so that nobody has
// taken it meanwhile, and then unlocks it.
func dropLock(file *os.File, path string) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if now, err := os.Lstat(path); err == nil && os.SameFile(info, now) {
		if err := removeName(path); err != nil {
			return err
		}
	}
	return control(file, func(fd int) error { return unix.Flock(fd, unix.LOCK_UN) })
}

package shm

import (
	"os"

	"golang.org/x/sys/windows"
)

// flock takes a lock on the first byte, unless others hold one that conflicts.
func flock(file *os.File, exclusive bool) (bool, error) {
	how := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if exclusive {
		how |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	err := control(file, func(fd int) error {
		return windows.LockFileEx(windows.Handle(fd), how, 0, 1, 0, new(windows.Overlapped))
	})
	if err == windows.ERROR_LOCK_VIOLATION {
		return false, nil
	}
	return err == nil, os.NewSyscallError("LockFileEx", err)
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
	return control(file, func(fd int) error {
		return windows.UnlockFileEx(windows.Handle(fd), 0, 1, 0, new(windows.Overlapped))
	})
}

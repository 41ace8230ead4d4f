//go:build linux && !carousel_portable

package shm

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// lockBase is where the bytes lie that stand for roles: far beyond the end of
// any file. Locks lie on open file descriptions, not on processes, so that
// closing some other descriptor of the same file does not drop them.
const lockBase = 1 << 62

func (f *File) tryLock(role int) (*os.File, string, error) {
	// Asked first: opening and closing the file in vain would alert watchers.
	if is, err := f.held(role); is || err != nil {
		return nil, "", cmp.Or(err, ErrLocked)
	}
	file, err := f.openAgain()
	if err != nil {
		return nil, "", err
	}
	err = control(file, func(fd int) error {
		return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, lockOf(role, unix.F_WRLCK))
	})
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		err = ErrLocked
	}
	if err != nil {
		_ = file.Close()
		return nil, "", err
	}
	return file, "", nil
}

// held asks by f's own descriptor, which never has a lock: by that of a lock
// its own lock would not count.
func (f *File) held(role int) (bool, error) {
	l := lockOf(role, unix.F_WRLCK)
	err := control(f.file, func(fd int) error { return unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, l) })
	return l.Type != unix.F_UNLCK, err
}

func dropLock(file *os.File, _ string) error {
	all := &unix.Flock_t{Type: unix.F_UNLCK, Whence: io.SeekStart}
	return control(file, func(fd int) error { return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, all) })
}

func lockOf(role int, kind int16) *unix.Flock_t {
	return &unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: lockBase + int64(role), Len: 1}
}

// openAgain opens the same file once more: for writing, since a write lock
// needs it, and so that its close is one that watchers hear of.
func (f *File) openAgain() (file *os.File, err error) {
	err = control(f.file, func(fd int) error {
		file, err = os.OpenFile(procFD(fd), os.O_RDWR, 0)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		file, err = openFile(f.presentName(), ReadWrite, false) // no /proc
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !os.SameFile(info, f.info) {
		err = fmt.Errorf("wanted the file that was opened, found another one under its name: %w", fs.ErrNotExist)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

func sweepLocks(string) {}

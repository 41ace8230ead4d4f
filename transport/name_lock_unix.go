//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A nameLock is a file whose lock, which the kernel drops with its owner,
// proves that a producer lives. A file without the lock tells that one was
// killed.
type nameLock struct {
	path string
	file *os.File
	left bool // somebody was killed who had it
	ours bool // what the lock is about was made by one who had the lock
}

// lockName takes the lock at path, and says in it who has it.
func lockName(path, label string) (*nameLock, error) {
	for {
		l, err := tryLockName(path)
		if err != nil {
			return nil, err
		}
		if l == nil {
			continue // it was removed meanwhile
		}
		if label == "" {
			label = filepath.Base(os.Args[0])
		}
		text := fmt.Sprintf("%.80s, pid %d\n", strings.ReplaceAll(label, "\n", " "), os.Getpid())
		if l.ours {
			text += madeLine
		}
		if err := l.write(text); err != nil {
			return nil, errors.Join(err, l.file.Close())
		}
		return l, nil
	}
}

// madeLine says that a producer made what the lock is about.
const madeLine = "made\n"

func tryLockName(path string) (*nameLock, error) {
	const open = os.O_RDWR | unix.O_NOFOLLOW | unix.O_NONBLOCK
	file, err := os.OpenFile(path, open|os.O_CREATE|os.O_EXCL, 0o600)
	left := errors.Is(err, fs.ErrExist)
	if left {
		if file, err = os.OpenFile(path, open, 0); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	if err != nil {
		return nil, err
	}
	l := &nameLock{path: path, file: file, left: left}
	again, err := l.take()
	if err != nil || again {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

// take locks the file, if it is one that only this user can have made.
func (l *nameLock) take() (again bool, err error) {
	info, err := l.file.Stat()
	if err != nil {
		return false, err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !info.Mode().IsRegular() || !ok || int(st.Uid) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
		return false, fmt.Errorf("%w: %s: wanted a file of this user's alone, found mode %v: %w", ErrFormat, l.path, info.Mode(), fs.ErrExist)
	}
	busy, err := flock(l.file)
	if err != nil {
		return false, err
	}
	text := make([]byte, 200)
	n, _ := l.file.ReadAt(text, 0)
	owner, rest, _ := strings.Cut(string(text[:n]), "\n")
	if busy {
		return false, fmt.Errorf("%w: %s is held by %s", ErrProducerLive, l.path, owner)
	}
	l.ours = rest == madeLine
	now, err := os.Lstat(l.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(now, info) {
		return true, nil
	}
	return false, err
}

func (l *nameLock) write(text string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(text), 0)
	return err
}

// made notes that the one who has the lock is about to make what it is about.
func (l *nameLock) made() error {
	if l.ours {
		return nil
	}
	l.ours = true
	info, err := l.file.Stat()
	if err == nil {
		_, err = l.file.WriteAt([]byte(madeLine), info.Size())
	}
	return err
}

// release removes the lock.
func (l *nameLock) release() error {
	return errors.Join(os.Remove(l.path), l.file.Close())
}

// flock tells whether others have the lock of the file; if not, it is taken.
func flock(f *os.File) (busy bool, err error) {
	err = control(f, func(fd int) error {
		for {
			if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != unix.EINTR {
				return err
			}
		}
	})
	if err == unix.EWOULDBLOCK {
		return true, nil
	}
	return false, err
}

// nameHeld tells whether somebody holds the lock at path.
func nameHeld(path string) bool {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer file.Close()
	err = control(file, func(fd int) error { return unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB) })
	return err == unix.EWOULDBLOCK
}

// lockFolder locks the folder of path against others who make or remove a name
// in it. The lock goes with the process, and leaves nothing behind.
func lockFolder(path string) (unlock func() error, err error) {
	file, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		busy, err := flock(file)
		if err == nil && !busy {
			return file.Close, nil
		}
		if err == nil && time.Since(start) > makerPatience {
			err = fmt.Errorf("the folder %s: wanted it free of others who make names within %v", filepath.Dir(path), makerPatience)
		}
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
}

package shm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// Lock is a life lock: whoever can see that it is held knows that its holder
// lives. The kernel drops it when the process ends, in whatever way. It lies
// on a descriptor of its own, which is neither mapped, duplicated, passed to
// anybody nor inherited by children, so that nothing keeps the lock beyond its
// holder.
//
// A Lock that is forgotten stays held.
type Lock struct {
	mu   sync.Mutex
	file *os.File // nil after Unlock
	path string   // of the lock file, where there is one
}

// reachable keeps locks reachable: collecting one would close its descriptor.
var reachable sync.Map // of *Lock to struct{}

// TryLock takes the lock of a role, 0 or larger, and does not wait for it. The
// error wraps [ErrLocked] when somebody holds it, be it this process through
// another Lock.
func (f *File) TryLock(role int) (*Lock, error) {
	if role < 0 {
		return nil, fmt.Errorf("shm: lock %s: wanted a role of at least 0, found %d: %w", f.path, role, fs.ErrInvalid)
	}
	file, path, err := f.tryLock(role)
	if err != nil {
		return nil, fmt.Errorf("shm: lock role %d of %s: %w", role, f.path, err)
	}
	l := &Lock{file: file, path: path}
	reachable.Store(l, struct{}{})
	return l, nil
}

// Unlock gives the lock back. Further calls do nothing, as does one on nil.
func (l *Lock) Unlock() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	file := l.file
	l.file = nil
	reachable.Delete(l)
	// First dropped, then closed: those whom the close alerts find it free.
	if err := errors.Join(dropLock(file, l.path), file.Close()); err != nil {
		return fmt.Errorf("shm: unlock: %w", err)
	}
	return nil
}

// Held reports whether anybody holds the lock of a role. Where locks are files
// of their own (anywhere but on Linux), the looking takes a shared lock for an
// instant.
func (f *File) Held(role int) (bool, error) {
	if role < 0 {
		return false, fmt.Errorf("shm: look at a lock of %s: wanted a role of at least 0, found %d: %w", f.path, role, fs.ErrInvalid)
	}
	is, err := f.held(role)
	if err != nil {
		return false, fmt.Errorf("shm: look at the lock of role %d of %s: %w", role, f.path, err)
	}
	return is, nil
}

package shm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// File is a segment file: opened and checked, and of a size that stays.
//
// Its methods may be called from any goroutine. After Close those that need
// the descriptor return an error that wraps [os.ErrClosed].
type File struct {
	path   string
	file   *os.File
	info   fs.FileInfo // as found at Open or Create: tells which inode this is
	size   int64
	access Access

	mu     sync.Mutex
	named  bool   // has, or had, its name: by Open, Publish or Replace
	temp   string // the name it has meanwhile, where it cannot do without
	closed bool
}

// Size returns the size in bytes the file had when it was opened or made.
func (f *File) Size() int64 { return f.size }

// Now returns the size in bytes that the file has now.
func (f *File) Now() (int64, error) {
	info, err := f.file.Stat()
	if err != nil {
		return 0, fmt.Errorf("shm: look how long a file is: %w", err)
	}
	return info.Size(), nil
}

// Path returns the name that was given to Open or Create.
func (f *File) Path() string { return f.path }

// ReadAt reads from the file itself, for a look at what is in it before it is
// mapped. It is [io.ReaderAt].
func (f *File) ReadAt(b []byte, off int64) (int, error) { return f.file.ReadAt(b, off) }

// Close closes the descriptor, and nothing else: mappings and locks live on.
// A file that was made and never published is gone with its last mapping.
// Further calls do nothing.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	err := f.file.Close()
	if f.temp != "" {
		err = errors.Join(err, removeName(f.temp))
		f.temp = ""
	}
	return err
}

// presentName is the name under which the file can be found now, if under any:
// before it is published that is a temporary one, if it has one.
func (f *File) presentName() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.temp != "" {
		return f.temp
	}
	return f.path
}

// Named reports whether the path still names this very file, and not another
// one or none.
func (f *File) Named() (bool, error) {
	now, err := os.Lstat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("shm: look whether the name is still this file's: %w", err)
	}
	return os.SameFile(f.info, now), nil
}

// Remove takes the name away from the file if it still has it, and otherwise
// leaves alone what the path names. Between the look and the removal somebody
// may replace the file, so those who do must agree among themselves.
//
// Where locks are files of their own, those that nobody holds go with it.
func (f *File) Remove() error {
	named, err := f.Named()
	if err != nil || !named {
		return err
	}
	if err := removeName(f.path); err != nil {
		return err
	}
	sweepLocks(f.path)
	return nil
}

// removeName removes a name that may be gone already.
func removeName(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("shm: remove a name: %w", err)
	}
	return nil
}

// control runs do with the descriptor, which nobody closes meanwhile.
func control(file *os.File, do func(fd int) error) error {
	c, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := c.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
		return err
	}
	return failed
}

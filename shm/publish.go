package shm

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Publish gives the file its name, in one step: whoever opens the path finds
// nothing or this file. The error wraps [fs.ErrExist] when the name is taken,
// and the file can still be published then, or closed.
func (f *File) Publish() error { return f.publish(f.linkOnce) }

// Replace is Publish that takes the name away from what has it. Whoever has
// that open keeps it.
func (f *File) Replace() error { return f.publish(f.linkOver) }

func (f *File) publish(link func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var err error
	switch {
	case f.closed:
		err = os.ErrClosed
	case f.named:
		err = fmt.Errorf("wanted a file just made, found one that has had its name: %w", fs.ErrInvalid)
	default:
		err = link()
	}
	if err != nil {
		return fmt.Errorf("shm: publish %s: %w", f.path, err)
	}
	f.named, f.temp = true, ""
	return nil
}

func (f *File) linkOnce() error {
	if f.temp == "" {
		return f.linkUnnamed(f.path)
	}
	return renameNew(f.temp, f.path)
}

// linkOver goes by way of a temporary name, since only a rename replaces.
func (f *File) linkOver() error {
	if f.temp == "" {
		temp := temporaryName(filepath.Dir(f.path))
		if err := f.linkUnnamed(temp); err != nil {
			return err
		}
		f.temp = temp
	}
	return os.Rename(f.temp, f.path)
}

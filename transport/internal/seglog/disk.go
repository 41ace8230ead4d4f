package seglog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// disk is a log's folder. Tests put one in its place that forgets, as a power
// cut makes disks forget, what was not synced.
type disk interface {
	list() ([]string, error)
	create(name string) (file, error) // fs.ErrExist if there is one
	open(name string, write bool) (file, error)
	rename(from, to string) error
	remove(name string) error
	sync() error                     // of the names
	stat(name string) (about, error) // by name
}

type file interface {
	ReadAt(b []byte, off int64) (int, error)
	WriteAt(b []byte, off int64) (int, error)
	Truncate(size int64) error
	Sync() error
	Close() error
	size() (int64, error)
}

// about is what a folder knows of a file: its bytes, and when it was last
// written, in nanoseconds since 1970.
type about struct{ size, written int64 }

// folder is the disk that is one.
type folder struct {
	dir  string
	perm fs.FileMode
}

func (d folder) path(name string) string { return filepath.Join(d.dir, name) }

func (d folder) list() ([]string, error) {
	f, err := os.Open(d.dir)
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(-1)
	return names, errors.Join(err, f.Close())
}

func (d folder) create(name string) (file, error) {
	f, err := os.OpenFile(d.path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, d.perm)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// open refuses what is no regular file before opening it could block.
func (d folder) open(name string, write bool) (file, error) {
	info, err := os.Lstat(d.path(name))
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: wanted a regular file, found %v: %w", d.path(name), info.Mode(), fs.ErrInvalid)
	}
	flag := os.O_RDONLY
	if write {
		flag = os.O_RDWR
	}
	f, err := os.OpenFile(d.path(name), flag, 0)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (d folder) rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }
func (d folder) remove(name string) error     { return os.Remove(d.path(name)) }

type osFile struct{ *os.File }

func (f osFile) size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

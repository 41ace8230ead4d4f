package main

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"unsafe"

	"github.com/carousel-ipc/carousel/shm"
)

// A notepad is memory that a process shares with its parent, so that what it
// has noted outlives it.
type notepad struct {
	path  string
	file  *shm.File
	pages *shm.Region
}

func newNotepad() (*notepad, error) { return newMemory(4096) }

func newMemory(size int64) (n *notepad, err error) {
	dir, err := os.MkdirTemp("", "carousel-torture-")
	if err != nil {
		return nil, err
	}
	n = &notepad{path: filepath.Join(dir, "notes")}
	if n.file, err = shm.Create(n.path, size, 0o600); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := n.file.Publish(); err != nil {
		return nil, errors.Join(err, n.file.Close(), os.RemoveAll(dir))
	}
	n.pages, err = n.file.Map(shm.ReadWrite)
	return n, err
}

func openNotepad(path string) (n *notepad, err error) {
	n = &notepad{path: path}
	if n.file, err = shm.Open(path, shm.ReadWrite); err != nil {
		return nil, err
	}
	n.pages, err = n.file.Map(shm.ReadWrite)
	return n, err
}

func (n *notepad) word(i int) *atomic.Uint64 { return wordOf(n.pages.Bytes(), i) }

// wordOf is the i-th word of shared memory.
func wordOf(b []byte, i int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&b[8*i : 8*i+8][0]))
}

func (n *notepad) remove() error {
	return errors.Join(n.pages.Unmap(), n.file.Close(), os.RemoveAll(filepath.Dir(n.path)))
}

package shm

import (
	"fmt"
	"os"
	"sync"
)

// Access is what a file or a region may be used for.
type Access int

const (
	ReadOnly  Access = iota // to be read
	ReadWrite               // and written to
)

// String is read-only or read-write.
func (a Access) String() string {
	if a == ReadOnly {
		return "read-only"
	}
	return "read-write"
}

// Region is a piece of memory that begins at a page boundary.
//
// Its methods may be called from any goroutine. The memory itself is the
// caller's to guard: nobody may be in it when Unmap is called.
type Region struct {
	mu     sync.Mutex
	b      []byte // nil after Unmap
	access Access
	back   backing
	blank  bool // by Blank
}

// backing is what stands behind a region. All functions get the whole of the
// region; a nil one means that there is nothing to do.
type backing struct {
	blank func(b []byte, a Access) error
	sync  func(b []byte) error
	unmap func(b []byte) error
}

// Heap returns size bytes of zeroed Go memory, aligned to a page, and to 4096 at
// least. The race detector sees what happens in them, which it does not in
// mapped memory.
func Heap(size int) *Region {
	r := &Region{b: alignedHeap(max(size, 0)), access: ReadWrite}
	if size > 0 {
		r.back.blank = blankHeap
	}
	return r
}

// Anonymous maps size bytes, zeroed, that belong to no file. The error wraps
// what the system said.
func Anonymous(size int) (*Region, error) {
	if size <= 0 {
		return nil, fmt.Errorf("shm: map anonymous memory: wanted at least 1 byte, found size %d: %w", size, os.ErrInvalid)
	}
	b, back, err := mapAnonymous(size)
	if err != nil {
		return nil, fmt.Errorf("shm: map %d bytes of anonymous memory: %w", size, err)
	}
	return &Region{b: b, access: ReadWrite, back: back}, nil
}

// Bytes returns the memory, and nil after Unmap. Storing into a region mapped
// ReadOnly faults, as does everything in a view kept beyond Unmap.
func (r *Region) Bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b
}

// Blank lays zeros over a mapped region, at the same addresses and with no
// moment in between at which they are not mapped. Views that somebody still
// holds read zeros from now on; what is stored into them reaches nobody else.
// The file, and other mappings of it, stay as they are. The region remains to
// be unmapped. Nobody may sleep on a word of it: nobody could wake him.
//
// Heap memory reads as zeros then, too, whereas the kernel, or whoever else was
// given the pages, keeps what was in them.
//
// Blank does nothing on systems other than Linux (or under the tag
// carousel_portable): there, stale views go on seeing the file until Unmap.
func (r *Region) Blank() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.b == nil || r.back.blank == nil {
		return nil
	}
	if err := r.back.blank(r.b, r.access); err != nil {
		return fmt.Errorf("shm: blank %d bytes: %w", len(r.b), err)
	}
	r.blank = true
	return nil
}

// Sync returns when what was stored in the region has reached the file's
// storage. It is nil where there is no file.
func (r *Region) Sync() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.b == nil || r.back.sync == nil {
		return nil
	}
	if err := r.back.sync(r.b); err != nil {
		return fmt.Errorf("shm: sync %d bytes: %w", len(r.b), err)
	}
	return nil
}

// Unmap gives the memory back. Further calls do nothing.
func (r *Region) Unmap() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.b
	r.b = nil
	if b == nil || r.back.unmap == nil {
		return nil
	}
	if err := r.back.unmap(b); err != nil {
		return fmt.Errorf("shm: unmap %d bytes: %w", len(b), err)
	}
	return nil
}

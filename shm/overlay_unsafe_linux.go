//go:build linux && !carousel_portable

package shm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Reserve returns size bytes of zeroed private memory that cost nothing until
// they are touched, for files to be laid over (Overlay).
func Reserve(size int) (*Region, error) {
	b, err := mapKept(-1, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("shm: reserve %d bytes: %w", size, err)
	}
	return &Region{b: b, access: ReadWrite, back: backing{blank: blankOver, unmap: unix.Munmap}}, nil
}

// Overlay maps the whole of f over a part of the region, in place of what is
// there, with no moment in between at which nothing is. It does nothing to a
// region that was unmapped or blanked.
func (r *Region) Overlay(off int, f *File, a Access) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.b == nil || r.blank {
		return nil
	}
	if n := os.Getpagesize(); off%n != 0 || f.size%int64(n) != 0 {
		return fmt.Errorf("shm: lay %d bytes over a region at %d: wanted multiples of this machine's page of %d bytes: %w", f.size, off, n, errors.ErrUnsupported)
	}
	if off < 0 || int64(off) > int64(len(r.b))-f.size {
		return fmt.Errorf("shm: lay %d bytes over a region at %d: wanted a place within its %d: %w", f.size, off, len(r.b), fs.ErrInvalid)
	}
	if err := f.mappable(a); err != nil {
		return fmt.Errorf("shm: map %s %s: %w", f.path, a, err)
	}
	prot := unix.PROT_READ
	if a == ReadWrite {
		prot |= unix.PROT_WRITE
	}
	part := r.b[off : off+int(f.size)]
	err := control(f.file, func(fd int) error {
		_, err := unix.MmapPtr(fd, 0, unsafe.Pointer(unsafe.SliceData(part)), uintptr(len(part)), prot, unix.MAP_SHARED|unix.MAP_FIXED)
		return err
	})
	if err == nil {
		err = keepFromChildren(part)
	}
	if err != nil {
		return fmt.Errorf("shm: map %s %s, %d bytes: %w", f.path, a, f.size, err)
	}
	return nil
}

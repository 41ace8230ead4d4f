package shm

import (
	"fmt"
	"io/fs"
	"math"
	"syscall"

	"github.com/edsrzf/mmap-go"
)

// Map maps the whole file, shared with everybody who maps it. On Linux the
// mapping is kept out of forked children.
//
// The mapping outlives Close. The file must have the size it was opened with:
// an error tells both sizes otherwise.
func (f *File) Map(a Access) (*Region, error) {
	return f.mapWith(a, mapShared)
}

// MapFile is Map by way of mmap-go, which works alike on every system. It is
// meant for rings in regular files.
func (f *File) MapFile(a Access) (*Region, error) {
	return f.mapWith(a, mapPortable)
}

func (f *File) mapWith(a Access, do func(*File, int, Access) ([]byte, backing, error)) (*Region, error) {
	if err := f.mappable(a); err != nil {
		return nil, fmt.Errorf("shm: map %s %s: %w", f.path, a, err)
	}
	b, back, err := do(f, int(f.size), a)
	if err != nil {
		return nil, fmt.Errorf("shm: map %s %s, %d bytes: %w", f.path, a, f.size, err)
	}
	return &Region{b: b, access: a, back: back}, nil
}

// mappable looks at what would fail obscurely, or much later.
func (f *File) mappable(a Access) error {
	if a == ReadWrite && f.access != ReadWrite {
		return fmt.Errorf("wanted a file opened read-write, found it opened read-only: %w", fs.ErrPermission)
	}
	if f.size > math.MaxInt {
		return fmt.Errorf("%w: wanted %d bytes, found address space for %d: %w", ErrTooLarge, f.size, math.MaxInt, syscall.EFBIG)
	}
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != f.size || f.size == 0 {
		return fmt.Errorf("wanted the %d bytes it had when it was opened and at least 1, found %d: %w", f.size, info.Size(), fs.ErrInvalid)
	}
	return nil
}

func mapPortable(f *File, size int, a Access) ([]byte, backing, error) {
	prot := mmap.RDONLY
	if a == ReadWrite {
		prot = mmap.RDWR
	}
	m, err := mmap.MapRegion(f.file, size, prot, 0, 0)
	if err != nil {
		return nil, backing{}, err
	}
	if err := keepFromChildren(m); err != nil {
		_ = m.Unmap()
		return nil, backing{}, err
	}
	return m, portableBacking(), nil
}

// portableBacking serves what mmap-go mapped.
func portableBacking() backing {
	return backing{
		blank: blankOver,
		sync:  func(b []byte) error { return mmap.MMap(b).Flush() },
		unmap: func(b []byte) error {
			m := mmap.MMap(b)
			return m.Unmap()
		},
	}
}

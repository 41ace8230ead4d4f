//go:build linux && !carousel_portable

package shm

import "golang.org/x/sys/unix"

func mapShared(f *File, size int, a Access) (b []byte, back backing, err error) {
	prot := unix.PROT_READ
	if a == ReadWrite {
		prot |= unix.PROT_WRITE
	}
	err = control(f.file, func(fd int) error {
		b, err = mapKept(fd, size, prot, unix.MAP_SHARED)
		return err
	})
	return b, backing{blank: blankOver, sync: syncMapping, unmap: unix.Munmap}, err
}

func mapAnonymous(size int) ([]byte, backing, error) {
	b, err := mapKept(-1, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	return b, backing{blank: blankOver, unmap: unix.Munmap}, err
}

// mapKept maps and keeps the mapping from children.
func mapKept(fd, size, prot, flags int) ([]byte, error) {
	b, err := unix.Mmap(fd, 0, size, prot, flags)
	if err != nil {
		return nil, err
	}
	if err := keepFromChildren(b); err != nil {
		_ = unix.Munmap(b)
		return nil, err
	}
	return b, nil
}

// keepFromChildren has children that are forked off start without the mapping.
// One that lives on without exec would keep the memory, and read into it.
func keepFromChildren(b []byte) error { return unix.Madvise(b, unix.MADV_DONTFORK) }

func syncMapping(b []byte) error { return unix.Msync(b, unix.MS_SYNC) }

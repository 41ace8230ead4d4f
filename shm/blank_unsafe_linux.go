//go:build linux && !carousel_portable

package shm

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// CanBlank tells whether [Region.Blank] does anything to mapped regions.
const CanBlank = true

// blankOver maps private memory over b. The kernel exchanges the mappings while
// it holds off page faults, so an access at the same time finds one or the
// other. Unmapping b later removes the new mapping.
func blankOver(b []byte, a Access) error {
	prot := unix.PROT_READ
	if a == ReadWrite {
		prot |= unix.PROT_WRITE
	}
	const flags = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_FIXED | unix.MAP_NORESERVE
	_, err := unix.MmapPtr(-1, 0, unsafe.Pointer(unsafe.SliceData(b)), uintptr(len(b)), prot, flags)
	return err
}

// blankHeap has the kernel put new pages under b, which nothing else shares
// (alignedHeap).
func blankHeap(b []byte, _ Access) error { return unix.Madvise(b, unix.MADV_DONTNEED) }

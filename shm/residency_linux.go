//go:build linux && !carousel_portable

package shm

import "golang.org/x/sys/unix"

// populate prepares pages for writing too, where the kernel (from 5.14) can.
func populate(b []byte, a Access) error {
	advice := unix.MADV_POPULATE_READ
	if a == ReadWrite {
		advice = unix.MADV_POPULATE_WRITE
	}
	if unix.Madvise(b, advice) != nil {
		touch(b)
	}
	return nil
}

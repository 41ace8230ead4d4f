//go:build linux || darwin || freebsd || dragonfly

package shm

import (
	"math"

	"golang.org/x/sys/unix"
)

// freeSpace returns the free bytes of the file system that dir is in, those
// set aside for root included: it errs to the large side. A tmpfs without a
// limit says that it has no blocks at all: unknown.
func freeSpace(dir string) int64 {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil || s.Blocks == 0 || s.Bsize <= 0 {
		return unknownSpace
	}
	blocks, each := uint64(s.Bfree), uint64(s.Bsize)
	if blocks > math.MaxInt64/each {
		return unknownSpace
	}
	return int64(blocks * each)
}

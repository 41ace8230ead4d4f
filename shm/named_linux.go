package shm

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// notInMemory tells what file system dir is in if that is one that keeps its
// files on a disk or elsewhere; "" if not, or if nobody says.
func notInMemory(dir string) string {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return ""
	}
	switch kind := uint32(s.Type); kind {
	case unix.TMPFS_MAGIC, unix.RAMFS_MAGIC:
		return ""
	default:
		return fmt.Sprintf("a file system of type %#x", kind)
	}
}

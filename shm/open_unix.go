//go:build unix

package shm

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openFile opens without following a link and without waiting for anybody.
// With create the file must be new.
func openFile(path string, a Access, create bool) (*os.File, error) {
	flag := os.O_RDONLY
	if a == ReadWrite {
		flag = os.O_RDWR
	}
	if create {
		flag |= os.O_CREATE | os.O_EXCL
	}
	return os.OpenFile(path, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
}

// checkPrivate refuses what others may reach, or may have put there.
func checkPrivate(_ *os.File, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%w: wanted its owner, found that the system does not tell", ErrUnsafeFile)
	}
	if uid := os.Geteuid(); int64(st.Uid) != int64(uid) {
		return fmt.Errorf("%w: wanted owner uid %d, found uid %d", ErrUnsafeFile, uid, st.Uid)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return fmt.Errorf("%w: wanted no permission for group and others, found mode %#o", ErrUnsafeFile, perm)
	}
	switch links := uint64(st.Nlink); links {
	case 1:
		return nil
	case 0:
		return fmt.Errorf("removed since it was opened: %w", fs.ErrNotExist)
	default:
		return fmt.Errorf("%w, found %d", errSecondName, links)
	}
}

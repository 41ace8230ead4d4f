//go:build linux && !carousel_portable

package shm

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// createUnnamed makes a file without a name, which vanishes with this process.
// File systems that have no such files say so in various ways. Without /proc
// the name could not be given later.
func createUnnamed(dir string) (*os.File, string, error) {
	if unix.Access("/proc/self/fd", unix.X_OK) != nil {
		return createTemporary(dir)
	}
	file, err := os.OpenFile(dir, unix.O_TMPFILE|os.O_RDWR, 0o600)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EISDIR) || errors.Is(err, unix.EINVAL) {
		return createTemporary(dir)
	}
	return file, "", err
}

// linkUnnamed gives the file a name that is not taken.
func (f *File) linkUnnamed(name string) error {
	return control(f.file, func(fd int) error {
		err := unix.Linkat(unix.AT_FDCWD, procFD(fd), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
		if err != nil {
			return &os.LinkError{Op: "linkat", Old: procFD(fd), New: name, Err: err}
		}
		return nil
	})
}

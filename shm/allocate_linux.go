//go:build linux && !carousel_portable

package shm

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// piece is how much is allocated by one call. A signal interrupts the call and
// undoes what it did, so each has to be short enough to end between signals.
const piece = 16 << 20

// allocate makes the file size bytes long, with storage for all of them.
func allocate(file *os.File, size int64) error {
	for at := int64(0); at < size; at += piece {
		n := min(size-at, piece)
		err := control(file, func(fd int) error {
			for {
				if err := unix.Fallocate(fd, 0, at, n); err != unix.EINTR {
					return err
				}
			}
		})
		if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
			return writeZeros(file, size)
		}
		if err != nil {
			return os.NewSyscallError("fallocate", err)
		}
	}
	return nil
}

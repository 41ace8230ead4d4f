package shm

import (
	"errors"
	"fmt"
	"syscall"
)

var (
	// ErrNoSpace says that the file system has no room for all the bytes of a
	// new file, or this process may not have so much memory. Such errors wrap [syscall.ENOSPC] as well, and tell how many
	// bytes were wanted and how many are free.
	ErrNoSpace = errors.New("shm: not enough space")

	// ErrTooLarge says that this process may not make, or cannot map, a file
	// of that size. Such errors wrap [syscall.EFBIG] as well.
	ErrTooLarge = errors.New("shm: too large")

	// ErrUnsafeFile says that what a path names is not a file that only this
	// user can reach: not regular, another's, open to others, or known by a
	// second name. The error tells what was wanted and what was found.
	ErrUnsafeFile = errors.New("shm: unsafe file")

	// ErrLocked says that somebody holds the life lock of that role, in
	// whatever process, this one included.
	ErrLocked = errors.New("shm: locked")

	// ErrNoNamedDir says that this system has no folder of shared memory. Such
	// errors wrap [errors.ErrUnsupported] as well.
	ErrNoNamedDir = errors.New("shm: no folder for named shared memory")
)

// unknownSpace stands for the free bytes of a file system that does not tell.
const unknownSpace = -1

// noSpace is the refusal of size bytes at path where free ones are left. cause
// is the system's own error, if it was asked.
func noSpace(path string, size, free int64, cause error) error {
	found := fmt.Sprintf("%d bytes free", free)
	if free == unknownSpace {
		found = "free bytes unknown"
	}
	if cause == nil {
		cause = syscall.ENOSPC
	}
	if errors.Is(cause, syscall.ENOSPC) {
		return fmt.Errorf("%w for %s: wanted %d bytes, found %s: %w", ErrNoSpace, path, size, found, cause)
	}
	return fmt.Errorf("%w for %s: wanted %d bytes, found %s: %w: %w", ErrNoSpace, path, size, found, syscall.ENOSPC, cause)
}

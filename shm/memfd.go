package shm

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
)

// ErrSeals says that memory which somebody handed over is not what it has to
// be: not a memfd, not sealed as wanted, or of another size. The error tells
// what was wanted and what was found.
var ErrSeals = errors.New("shm: unsafe memory")

// ErrNoMemfd says that this system, or this build, has no memory that can be
// sealed and handed over (see [CanSeal]). It wraps [errors.ErrUnsupported].
var ErrNoMemfd = fmt.Errorf("shm: wanted memfd, which Linux has, found %s: %w", runtime.GOOS, errors.ErrUnsupported)

// Seals are promises of the kernel about a memfd that nobody can take back,
// not even the superuser.
type Seals uint

const (
	SealSeal        Seals = 1 << iota // no seal is added any more
	SealShrink                        // it never gets smaller: no SIGBUS
	SealGrow                          // nor larger
	SealWrite                         // nobody writes to it at all
	SealFutureWrite                   // nobody writes but through the mappings that there were before
)

const (
	// SealedForReaders is for memory that its maker alone writes to.
	SealedForReaders = SealSeal | SealShrink | SealGrow | SealFutureWrite
	// SealedForWriters is for memory that both sides write to.
	SealedForWriters = SealSeal | SealShrink | SealGrow
)

var sealNames = [...]string{"SEAL", "SHRINK", "GROW", "WRITE", "FUTURE_WRITE"}

// String is the seals as fcntl(2) calls them, without F_SEAL_, joined by "|", or
// "none".
func (s Seals) String() string {
	var names []string
	for i, name := range sealNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, "|")
}

func wrongMemory(want, found string) error {
	return fmt.Errorf("%w: wanted %s, found %s", ErrSeals, want, found)
}

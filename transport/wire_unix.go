//go:build unix

package transport

import (
	"errors"
	"io"
	"syscall"
)

// try is Read that never waits.
func (w *wire) try(p []byte) (n int, err error) {
	if rerr := w.raw.Read(func(fd uintptr) bool {
		for {
			if n, err = syscall.Read(int(fd), p); !errors.Is(err, syscall.EINTR) {
				return true
			}
		}
	}); rerr != nil {
		return 0, rerr
	}
	switch {
	case err == syscall.EAGAIN:
		return 0, errNothing
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

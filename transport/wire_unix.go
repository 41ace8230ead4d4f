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

// offer is a write of as much of p as there is room for now: 0 if there is
// none, and if something else is wrong, which the next write will find out.
func offer(raw syscall.RawConn, p []byte) (n int) {
	_ = raw.Write(func(fd uintptr) bool {
		var err error
		if n, err = syscall.Write(int(fd), p); err != nil {
			n = 0
		}
		return true
	})
	return n
}

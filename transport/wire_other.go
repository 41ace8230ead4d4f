//go:build !unix

package transport

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// aMoment is how long a look takes where there is none that does not wait.
const aMoment = time.Millisecond

// try is Read that hardly waits.
func (w *wire) try(p []byte) (int, error) {
	if err := w.SetReadDeadline(time.Now().Add(aMoment)); err != nil {
		return 0, err
	}
	n, err := w.Read(p)
	_ = w.SetReadDeadline(time.Time{})
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, errNothing
	}
	return n, err
}

// offer has no way to write without waiting.
func offer(syscall.RawConn, []byte) int { return 0 }

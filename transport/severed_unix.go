//go:build unix

package transport

import (
	"errors"
	"syscall"
)

// severed tells whether err is the end of the other side.
func severed(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED)
}

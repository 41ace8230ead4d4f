//go:build !unix

package cli

import (
	"errors"
	"syscall"
)

// ERROR_BROKEN_PIPE and ERROR_NO_DATA of Windows.
func brokenPipe(err error) bool {
	return errors.Is(err, syscall.Errno(109)) || errors.Is(err, syscall.Errno(232))
}

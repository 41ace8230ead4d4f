//go:build !linux

package seccomp

import (
	"errors"
	"fmt"
	"runtime"
)

// Install works on Linux.
func Install(Filter) error {
	return fmt.Errorf("seccomp: wanted Linux, found %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

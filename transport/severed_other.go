//go:build !unix

package transport

import (
	"errors"
	"syscall"
)

// severed tells whether err is the end of the other side: the errors of pipes,
// then those of sockets, of Windows.
func severed(err error) bool {
	for _, e := range []syscall.Errno{109, 232, 10053, 10054} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

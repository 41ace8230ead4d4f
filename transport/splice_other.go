//go:build !linux || carousel_portable

package transport

import (
	"errors"
	"syscall"
)

// A splicer does not exist here.
type splicer struct{ held int }

func newSplicer(conn) (*splicer, error) { return nil, errors.ErrUnsupported }

func (*splicer) put(syscall.RawConn, []byte, bool) (int, error) { return 0, errors.ErrUnsupported }
func (*splicer) close() error                                   { return nil }

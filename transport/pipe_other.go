//go:build !unix

package transport

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// taken would be a pipe whose reads and writes can be ended.
type taken struct{ *os.File }

func takeFile(*os.File) (*taken, error) {
	return nil, fmt.Errorf("pipes whose reads end with a context: wanted a Unix system, found %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

func watchReader(conn, func()) {}

package cli

import (
	"errors"
	"io"
)

// readerGone tells whether a write failed because nobody reads any more.
func readerGone(err error) bool {
	return errors.Is(err, io.ErrClosedPipe) || brokenPipe(err)
}

package ring

import (
	"errors"
	"fmt"
	"runtime"
)

// What a machine has to be like. The layout's words have 4 or 8 bytes and its
// page has 4096, whatever the machine's word and page are: programs of 32 and
// of 64 bits meet on one ring. Its byte order is the machine's own, since
// words are stored as they are, and half of a cursor is a futex word (low).

// checkMachine comes before anything is made or opened.
func checkMachine() error {
	if littleEndian() {
		return nil
	}
	return fmt.Errorf("ring: wanted a little-endian machine, found %s, which is big-endian: %w", runtime.GOARCH, errors.ErrUnsupported)
}

// checkPage: a slot of a served ring is memory of its own, of one page, and
// mapped beside the others.
func checkPage(n int) error {
	if n != page {
		return fmt.Errorf("ring: wanted pages of %d bytes for a served ring, found a machine with %d: %w", page, n, errors.ErrUnsupported)
	}
	return nil
}

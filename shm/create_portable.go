//go:build !linux || carousel_portable

package shm

import (
	"errors"
	"fmt"
	"os"
)

func createUnnamed(dir string) (*os.File, string, error) { return createTemporary(dir) }

// linkUnnamed is not reached: every file made here has a name.
func (f *File) linkUnnamed(name string) error {
	return fmt.Errorf("shm: name a file that has none %s: %w", name, errors.ErrUnsupported)
}

//go:build unix

package shm

import (
	"fmt"
	"os"
)

// renameNew renames to a name that is not taken. No call for that is common to
// all systems, so for a moment the file has both names; Open waits for that to
// pass.
func renameNew(old, name string) error {
	if err := os.Link(old, name); err != nil {
		return err
	}
	if err := os.Remove(old); err != nil {
		_ = os.Remove(name)
		return fmt.Errorf("drop the temporary name: %w", err)
	}
	return nil
}

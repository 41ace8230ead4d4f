//go:build unix

package seglog

import (
	"errors"
	"os"
)

func (d folder) sync() error {
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

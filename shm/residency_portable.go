//go:build !linux || carousel_portable

package shm

func populate(b []byte, _ Access) error {
	touch(b)
	return nil
}

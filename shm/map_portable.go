//go:build !linux || carousel_portable

package shm

import "github.com/edsrzf/mmap-go"

func mapShared(f *File, size int, a Access) ([]byte, backing, error) {
	return mapPortable(f, size, a)
}

func mapAnonymous(size int) ([]byte, backing, error) {
	m, err := mmap.MapRegion(nil, size, mmap.RDWR, mmap.ANON, 0)
	if err != nil {
		return nil, backing{}, err
	}
	back := portableBacking()
	back.sync = nil
	return m, back, nil
}

func keepFromChildren([]byte) error { return nil }

// blankOver keeps the mapping: nothing portable replaces one in place.
func blankOver([]byte, Access) error { return nil }

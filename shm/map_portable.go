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

// CanBlank tells whether [Region.Blank] does anything to mapped regions.
const CanBlank = false

// blankOver keeps the mapping: nothing portable replaces one in place.
func blankOver([]byte, Access) error { return nil }
func blankHeap([]byte, Access) error { return nil }

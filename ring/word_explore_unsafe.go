//go:build explore

package ring

import "unsafe"

// first is the word at the beginning of a payload, nil for an empty one.
func first(b []byte) *uint32 {
	if len(b) == 0 {
		return nil
	}
	return (*uint32)(unsafe.Pointer(unsafe.SliceData(b)))
}

// place is where a word lies, for comparison with the memory of a ring.
func place(p *uint32) uintptr { return uintptr(unsafe.Pointer(p)) }

package shm

import (
	"os"
	"unsafe"
)

// alignedHeap cuts whole pages out of a larger piece; size is how many bytes of
// them are used. Go does not move heap memory, so they stay aligned.
func alignedHeap(size int) []byte {
	page := max(os.Getpagesize(), 4096)
	whole := (size + page - 1) &^ (page - 1)
	b := make([]byte, whole+page-1)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) & uintptr(page-1)
	return b[skip:][:size:size]
}

package shm

import "unsafe"

// heapAlign is the alignment of heap regions: that of the smallest page there
// is on the systems in question.
const heapAlign = 4096

// alignedHeap cuts an aligned piece out of a larger one. Go does not move heap
// memory, so it stays aligned.
func alignedHeap(size int) []byte {
	b := make([]byte, size+heapAlign-1)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (heapAlign - 1)
	return b[skip : skip+uintptr(size) : skip+uintptr(size)]
}

//go:build race && !explore

package ring

import (
	"sync/atomic"
	"unsafe"
)

// Under the race detector payload moves by atomic words, so that reading what
// is being overwritten, which a lossy consumer does and then refuses, is no
// report, and reading it without refusing would still be a wrong result that
// a test sees. Payloads begin at a multiple of 16 and end in a frame's
// padding, so the last word is in the ring too.

func copyIn(ring, src []byte) {
	for i := 0; i < len(src); i += 4 {
		var w [4]byte
		n := copy(w[:], src[i:])
		_ = n
		atomic.StoreUint32((*uint32)(unsafe.Pointer(&ring[i])), *(*uint32)(unsafe.Pointer(&w)))
	}
}

func copyOut(dst, ring []byte) {
	for i := 0; i < len(dst); i += 4 {
		w := atomic.LoadUint32((*uint32)(unsafe.Pointer(&ring[i])))
		copy(dst[i:], (*(*[4]byte)(unsafe.Pointer(&w)))[:])
	}
}

package ring

import "unsafe"

// A segment gives the words of a piece of shared memory. Offsets come from
// layout.go, or are a position masked by the private geometry: they are not
// checked again here, which is why nothing outside this package may name one.
type segment struct {
	base unsafe.Pointer
}

// segmentOf needs memory whose length and alignment were checked by the caller.
func segmentOf(mem []byte) segment { return segment{unsafe.Pointer(unsafe.SliceData(mem))} }

func (s segment) w64(off uint64) *uint64 { return (*uint64)(unsafe.Add(s.base, off)) }

// header is the two words at off: of a frame, commit word and meta word.
func (s segment) header(off uint64) *[2]uint64 { return (*[2]uint64)(unsafe.Add(s.base, off)) }

// view is n bytes at off.
func (s segment) view(off, n uint64) []byte { return unsafe.Slice((*byte)(unsafe.Add(s.base, off)), n) }

func (s segment) w32(off uint64) *uint32 { return (*uint32)(unsafe.Add(s.base, off)) }

// at is the part of the segment that begins at off.
func (s segment) at(off uint64) segment { return segment{unsafe.Add(s.base, off)} }

// low is the half of a word that a futex can sleep on: the first four bytes,
// on the little-endian machines that this package admits.
func low(p *uint64) *uint32 { return (*uint32)(unsafe.Pointer(p)) }

// address identifies memory: two attachments of the same bytes share a life.
func address(mem []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(mem))) }

// littleEndian tells whether this machine stores the low byte first.
func littleEndian() bool {
	x := uint16(1)
	return *(*byte)(unsafe.Pointer(&x)) == 1
}

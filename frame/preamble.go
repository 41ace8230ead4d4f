package frame

import (
	"encoding/binary"
	"fmt"
)

// PreambleSize is the number of bytes of a [Preamble]: a multiple of [Align],
// so that the frames behind it keep their alignment.
const PreambleSize = 32

// Version is the version of the frame format this package writes and reads.
const Version = 1

const (
	magic     = "CAROUSEL"
	byteOrder = 0xfeff
)

// Preamble opens every stream, log segment and recording.
//
//	0        8         10          12     16      24      32
//	| magic  | version | byte order | must | epoch | first |
type Preamble struct {
	Version uint16 // of the format; 0 is written as [Version]
	Must    uint32 // features a reader must understand; none is defined yet
	Epoch   uint64 // how many producers this stream has had
	First   uint64 // sequence of the first record that follows
}

// knownFeatures are the bits of [Preamble].Must this package knows.
const knownFeatures uint32 = 0

// Append appends the 32 bytes of p to dst and returns the extended slice.
func (p Preamble) Append(dst []byte) []byte {
	if p.Version == 0 {
		p.Version = Version
	}
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint16(dst, p.Version)
	dst = binary.LittleEndian.AppendUint16(dst, byteOrder)
	dst = binary.LittleEndian.AppendUint32(dst, p.Must)
	dst = binary.LittleEndian.AppendUint64(dst, p.Epoch)
	return binary.LittleEndian.AppendUint64(dst, p.First)
}

// DecodePreamble decodes the preamble at the start of b. Errors wrap
// [io.ErrUnexpectedEOF] if b is too short, [ErrMagic], [ErrByteOrder],
// [ErrVersion], or [ErrUnknownFlag] if a feature is demanded that this package
// does not have. What is no preamble from its first bytes on is [ErrMagic],
// however short.
func DecodePreamble(b []byte) (Preamble, error) {
	if got := b[:min(len(b), len(magic))]; string(got) != magic[:len(got)] {
		return Preamble{}, fmt.Errorf("%w: wanted magic %q, found %q", ErrMagic, magic, got)
	}
	if len(b) < PreambleSize {
		return Preamble{}, short("preamble", PreambleSize, len(b))
	}
	if got := binary.LittleEndian.Uint16(b[10:]); got != byteOrder {
		return Preamble{}, fmt.Errorf("%w: wanted mark 0x%04x, found 0x%04x", ErrByteOrder, byteOrder, got)
	}
	p := Preamble{
		Version: binary.LittleEndian.Uint16(b[8:]),
		Must:    binary.LittleEndian.Uint32(b[12:]),
		Epoch:   binary.LittleEndian.Uint64(b[16:]),
		First:   binary.LittleEndian.Uint64(b[24:]),
	}
	if p.Version != Version {
		return Preamble{}, fmt.Errorf("%w: wanted %d, found %d", ErrVersion, Version, p.Version)
	}
	if unknown := p.Must &^ knownFeatures; unknown != 0 {
		return Preamble{}, fmt.Errorf("%w: wanted no feature but 0x%08x in the preamble, found 0x%08x",
			ErrUnknownFlag, knownFeatures, unknown)
	}
	return p, nil
}

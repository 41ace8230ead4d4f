package frame

import (
	"errors"
	"fmt"
)

// What may be wrong with one frame.
var (
	// ErrTooLarge: the payload is longer than the reader, or any frame, allows.
	ErrTooLarge = errors.New("frame: payload too large")
	// ErrUnknownFlag: a must-understand flag is set that this version does
	// not know.
	ErrUnknownFlag = errors.New("frame: unknown must-understand flag")
	// ErrMalformed: the bytes cannot be a frame.
	ErrMalformed = errors.New("frame: malformed")
	// ErrUncommitted, a kind of ErrMalformed: the sequence is 0, so there is
	// no frame here, or not yet.
	ErrUncommitted = fmt.Errorf("%w: wanted a sequence from 1, found 0", ErrMalformed)
	// ErrChecksum: the CRC does not fit. It comes as a [*ChecksumError].
	ErrChecksum = errors.New("frame: wrong checksum")
)

// What may be wrong with a preamble, besides [ErrUnknownFlag].
var (
	// ErrMagic: this is not a stream of frames.
	ErrMagic = errors.New("frame: not a stream of frames")
	// ErrByteOrder: the magic is there, the mark of the byte order is not.
	ErrByteOrder = errors.New("frame: wrong byte order")
	// ErrVersion: a version of the format this package does not know.
	ErrVersion = errors.New("frame: unknown version")
)

// ChecksumError says which frame had the wrong CRC. It is [ErrChecksum].
type ChecksumError struct {
	Sequence    uint64 // as found in the frame, which is not to be trusted
	Want, Found uint32 // computed from the frame, stored in it
}

// Error names the sequence and both sums.
func (e *ChecksumError) Error() string {
	return fmt.Sprintf("%v: sequence %d: wanted CRC32C 0x%08x, found 0x%08x", ErrChecksum, e.Sequence, e.Want, e.Found)
}

// Is makes errors.Is(err, ErrChecksum) true.
func (e *ChecksumError) Is(target error) bool { return target == ErrChecksum }

package frame

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Seal writes what follows the payload: the CRC, if m has [CRC], and zeros to
// the end of the frame. The payload must be in place; the header is not looked
// at, so the sequence may be stored later. The frame begins at b[0]; if b is
// too short for it the error wraps [io.ErrUnexpectedEOF]. m must have passed
// [Meta.Check]. A filler has no tail, and its bytes stay as they are.
func Seal(b []byte, seq uint64, m Meta) error {
	end, size := HeaderSize+m.Len(), m.Size()
	if len(b) < size {
		return short("frame", size, len(b))
	}
	clear(b[end:size])
	if m.Flags()&CRC != 0 {
		binary.LittleEndian.PutUint32(b[CRCOffset(m.Len()):], Checksum(seq, m, b[HeaderSize:end]))
	}
	return nil
}

// Verify checks what [Seal] writes: the CRC, giving a [*ChecksumError], and
// that the rest is zeros, giving [ErrMalformed]. The header words are taken
// from seq and m alone. m must have passed [Meta.Check].
func Verify(b []byte, seq uint64, m Meta) error {
	end, size := HeaderSize+m.Len(), m.Size()
	if len(b) < size {
		return short("frame", size, len(b))
	}
	if m.Flags()&CRC != 0 {
		off := CRCOffset(m.Len())
		found := binary.LittleEndian.Uint32(b[off:])
		if want := Checksum(seq, m, b[HeaderSize:end]); want != found {
			return &ChecksumError{Sequence: seq, Want: want, Found: found}
		}
		if err := zeros(b[end:off], seq, end); err != nil {
			return err
		}
		end = off + 4
	}
	return zeros(b[end:size], seq, end)
}

// zeros checks padding, less than 16 bytes of it, which starts at offset off
// of its frame.
func zeros(b []byte, seq uint64, off int) error {
	for i, c := range b {
		if c != 0 {
			return fmt.Errorf("%w: sequence %d: wanted a padding of zeros, found 0x%02x at byte %d of the frame",
				ErrMalformed, seq, c, off+i)
		}
	}
	return nil
}

func short(what string, want, found int) error {
	return fmt.Errorf("frame: short %s: wanted %d bytes, found %d: %w", what, want, found, io.ErrUnexpectedEOF)
}

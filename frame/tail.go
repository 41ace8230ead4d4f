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

// Wrap makes a frame of the payload that is in place in b, behind room for its
// header: it writes that, and what [Seal] writes. b is memory that nobody else
// looks at, and as long as the frame.
func Wrap(b []byte, seq uint64, m Meta) {
	end, size := HeaderSize+m.Len(), m.Size()
	binary.LittleEndian.PutUint64(b[SequenceOffset:], seq)
	binary.LittleEndian.PutUint64(b[MetaOffset:], uint64(m))
	clear(b[end:size])
	if m.Flags()&CRC != 0 {
		binary.LittleEndian.PutUint32(b[CRCOffset(m.Len()):], checksum(b, m))
	}
}

// Verify checks what [Seal] writes: the CRC, giving a [*ChecksumError], and
// that the rest is zeros, giving [ErrMalformed]. The header words are taken
// from seq and m alone. m must have passed [Meta.Check].
func Verify(b []byte, seq uint64, m Meta) error {
	end, size := HeaderSize+m.Len(), m.Size()
	if len(b) < size {
		return short("frame", size, len(b))
	}
	if m.Flags()&CRC == 0 {
		return zeros(b[end:size], seq, end)
	}
	return verifySum(b, seq, m, Checksum(seq, m, b[HeaderSize:end]))
}

// verify is Verify of a frame whose header is in place where nobody changes it.
func verify(b []byte, seq uint64, m Meta) error {
	end, size := HeaderSize+m.Len(), m.Size()
	if len(b) < size {
		return short("frame", size, len(b))
	}
	if m.Flags()&CRC == 0 {
		return zeros(b[end:size], seq, end)
	}
	return verifySum(b, seq, m, checksum(b, m))
}

// verifySum checks what follows the payload, with want as the CRC.
func verifySum(b []byte, seq uint64, m Meta, want uint32) error {
	end, off, size := HeaderSize+m.Len(), CRCOffset(m.Len()), m.Size()
	if found := binary.LittleEndian.Uint32(b[off:]); found != want {
		return &ChecksumError{Sequence: seq, Want: want, Found: found}
	}
	if off > end {
		if err := zeros(b[end:off], seq, end); err != nil {
			return err
		}
	}
	return zeros(b[off+4:size], seq, off+4)
}

// zeros checks padding, less than 16 bytes of it, which starts at offset off
// of its frame.
func zeros(b []byte, seq uint64, off int) error {
	if len(b) >= 8 && binary.LittleEndian.Uint64(b)|binary.LittleEndian.Uint64(b[len(b)-8:]) == 0 {
		return nil
	}
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

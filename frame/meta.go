package frame

import "fmt"

// The shape of a frame.
const (
	HeaderSize = 16 // bytes before the payload
	Align      = 16 // every frame starts and ends at a multiple of this

	SequenceOffset = 0 // of the sequence word, 8 bytes
	MetaOffset     = 8 // of the [Meta] word, 8 bytes

	// MaxPayload is the largest payload a frame may have: half of the
	// largest ring. Sizes computed from lengths up to one more than this
	// fit an int of 32 bits.
	MaxPayload = 1 << 30

	eosPayload = 8 // the payload of an EOS frame is the producer's epoch, u64
)

// Flags are the flags of a frame.
type Flags uint16

const (
	// Pad marks a filler: space before the end of a ring in which the next
	// record does not fit. What its payload holds is not defined, and its
	// length is a multiple of [Align].
	Pad Flags = 1 << iota
	// CRC says that a CRC32C of header and payload follows the payload.
	CRC
	// EOS marks the end of the stream. Its payload is the epoch of the
	// producer that ended it, a little-endian uint64.
	EOS
	// More says that the record goes on in the next frame.
	More
	// Cont says that the record began in an earlier frame, one with More. A
	// reader that starts in the middle of a chain skips to the first frame
	// without it.
	Cont
)

// MustUnderstand is the half of the flags that a reader refuses unless it
// knows them.
const MustUnderstand Flags = 0xff00

// knownMust are the must-understand flags this package knows: none so far.
const knownMust Flags = 0

// Meta is the second word of a frame's header: length in the low half, then
// type, then flags. It is the value of the little-endian word; a machine of
// the other byte order swaps what it loads.
type Meta uint64

// MakeMeta returns the header word for a payload of n bytes. A length that no
// frame may have (negative, or beyond [MaxPayload]) becomes one that
// [Meta.Check] refuses.
func MakeMeta(n int, typ uint16, flags Flags) Meta {
	if uint(n) > MaxPayload {
		n = MaxPayload + 1
	}
	return Meta(uint32(n)) | Meta(typ)<<32 | Meta(flags)<<48
}

// Len returns the number of bytes of payload. Whatever the word holds, the
// result is not negative; a value beyond [MaxPayload] is reported as
// MaxPayload+1.
func (m Meta) Len() int {
	return int(min(uint32(m), MaxPayload+1))
}

// Type returns the application's type of the record.
func (m Meta) Type() uint16 { return uint16(m >> 32) }

// Flags returns the flags.
func (m Meta) Flags() Flags { return Flags(m >> 48) }

// Counts reports whether the frame consumes a sequence number: all do except
// fillers and the end of the stream.
func (m Meta) Counts() bool { return m.Flags()&(Pad|EOS) == 0 }

// Size returns the number of bytes of the whole frame.
func (m Meta) Size() int { return Size(m.Len(), m.Flags()) }

// Size returns the number of bytes of a frame with a payload of n bytes,
// 0 <= n <= [MaxPayload]. Of the flags only [CRC] matters.
func Size(n int, flags Flags) int {
	if flags&CRC != 0 {
		n = CRCOffset(n) + 4 - HeaderSize
	}
	return (n + HeaderSize + Align - 1) &^ (Align - 1)
}

// CRCOffset returns where the CRC of a frame with a payload of n bytes is,
// counted from the start of the frame.
func CRCOffset(n int) int { return (HeaderSize + n + 3) &^ 3 }

// Check reports whether a frame with this word is one that may be read: the
// payload is no longer than maxPayload (or [MaxPayload], if that is less), and
// the flags are known and go together. Errors wrap [ErrTooLarge],
// [ErrUnknownFlag] or [ErrMalformed].
//
// The limit is for records. An [EOS] always has 8 bytes, and a filler is at
// most as large, as a frame, as the largest record.
func (m Meta) Check(maxPayload int) error {
	if m&(Meta(MustUnderstand|Pad|EOS)<<48) == 0 && int64(uint32(m)) <= int64(min(maxPayload, MaxPayload)) {
		return nil
	}
	return m.check(maxPayload)
}

func (m Meta) check(maxPayload int) error {
	n, f := m.Len(), m.Flags()
	maxPayload = max(0, min(maxPayload, MaxPayload))
	if unknown := f & MustUnderstand &^ knownMust; unknown != 0 {
		return fmt.Errorf("%w: wanted none but 0x%04x of the must-understand flags, found 0x%04x",
			ErrUnknownFlag, uint16(knownMust), uint16(unknown))
	}
	switch {
	case f&Pad != 0:
		if f&(CRC|EOS|More|Cont) != 0 {
			return fmt.Errorf("%w: wanted PAD alone, found flags %v", ErrMalformed, f)
		}
		if uint32(m)%Align != 0 {
			return fmt.Errorf("%w: wanted a PAD of a multiple of %d bytes, found %d", ErrMalformed, Align, uint32(m))
		}
		if limit := min(Size(maxPayload, CRC)-HeaderSize, MaxPayload); n > limit {
			return fmt.Errorf("%w: wanted a PAD of at most %d bytes, found %d", ErrTooLarge, limit, uint32(m))
		}
	case f&EOS != 0:
		if f&(More|Cont) != 0 {
			return fmt.Errorf("%w: wanted EOS outside a chain, found flags %v", ErrMalformed, f)
		}
		if n != eosPayload {
			return fmt.Errorf("%w: wanted an EOS of %d bytes, found %d", ErrMalformed, eosPayload, uint32(m))
		}
	case n > maxPayload:
		return fmt.Errorf("%w: wanted a payload of at most %d bytes, found %d", ErrTooLarge, maxPayload, uint32(m))
	}
	return nil
}

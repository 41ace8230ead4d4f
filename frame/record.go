package frame

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// Record is the content of one frame: its sequence, its header word, and where
// its payload is. It has four words, so that it travels in registers; with one
// more it would not, and handing one over would take several times as long.
// The zero value is a record that was not committed.
type Record struct {
	Sequence uint64
	Meta     Meta
	data     *byte // Meta.Len() of them
	room     int   // behind data, at least as much
}

// NewRecord is the record with that payload, which it aliases. One longer than
// [MaxPayload] makes a record that cannot be encoded, and has no payload.
func NewRecord(seq uint64, typ uint16, flags Flags, payload []byte) Record {
	return View(seq, MakeMeta(len(payload), typ, flags), payload)
}

// Type is the application's.
func (r Record) Type() uint16 { return r.Meta.Type() }

// Flags are those of the frame.
func (r Record) Flags() Flags { return r.Meta.Flags() }

// Len is the length of the payload in bytes.
func (r Record) Len() int { return r.Meta.Len() }

// Counts reports whether the record consumes its sequence: see [Meta.Counts].
func (r Record) Counts() bool { return r.Meta.Counts() }

// Equal reports whether both are the same in all bytes.
func (r Record) Equal(s Record) bool {
	return r.Sequence == s.Sequence && r.Meta == s.Meta && bytes.Equal(r.Payload(), s.Payload())
}

// String is for people.
func (r Record) String() string {
	return fmt.Sprintf("record %d of type %d, flags %v, %d bytes", r.Sequence, r.Type(), r.Flags(), len(r.Payload()))
}

// Append appends the frame of r to dst, with its CRC if r.Flags() has [CRC], and
// returns the extended slice. It encodes what it is given, valid or not:
// [Meta.Check] tells. A payload beyond [MaxPayload] cannot be encoded at all;
// in its place goes a header that every reader refuses.
func Append(dst []byte, r Record) []byte {
	m := r.Meta
	if m.Len() > MaxPayload {
		return appendHeader(dst, r.Sequence, m)
	}
	start := len(dst)
	dst = slices.Grow(dst, m.Size())
	dst = appendHeader(dst, r.Sequence, m)
	dst = append(dst, r.Payload()...)
	dst = dst[:start+m.Size()]
	Wrap(dst[start:], r.Sequence, m)
	return dst
}

func appendHeader(dst []byte, seq uint64, m Meta) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, seq)
	return binary.LittleEndian.AppendUint64(dst, uint64(m))
}

// header returns the two words of the header. b has at least HeaderSize bytes.
func header(b []byte) (seq uint64, m Meta) {
	return binary.LittleEndian.Uint64(b[SequenceOffset:]), Meta(binary.LittleEndian.Uint64(b[MetaOffset:]))
}

// Decode decodes the frame at the start of b and returns it with the number of
// bytes it takes. The payload aliases b. No payload may be longer than
// maxPayload. The number is 0 if there is an error.
//
// Errors wrap [io.ErrUnexpectedEOF] if b ends before the frame does,
// [ErrUncommitted], those of [Meta.Check], [ErrChecksum] (as a
// [*ChecksumError]), or [ErrMalformed] if padding is not zero.
//
// b must not change meanwhile: in memory shared with a peer one has to load
// the two words once and use [Meta.Check] and [Verify].
func Decode(b []byte, maxPayload int) (r Record, n int, err error) {
	if len(b) < HeaderSize {
		return Record{}, 0, short("header", HeaderSize, len(b))
	}
	seq, m := header(b)
	if err := checkHeader(seq, m, maxPayload); err != nil {
		return Record{}, 0, err
	}
	if err := verify(b, seq, m); err != nil {
		return Record{}, 0, err
	}
	end := HeaderSize + m.Len()
	return View(seq, m, b[HeaderSize:end:end]), m.Size(), nil
}

func checkHeader(seq uint64, m Meta, maxPayload int) error {
	if seq == 0 {
		return ErrUncommitted
	}
	return m.Check(maxPayload)
}

package frame

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestFramesInPartsEqualFramesAtOnce(t *testing.T) {
	for _, r := range []Record{
		NewRecord(1, 0, 0, []byte("abc")),
		NewRecord(1<<40, 7, CRC, bytes.Repeat([]byte{9}, 101)),
		NewRecord(3, 0, CRC|More, nil),
	} {
		b := bytes.Repeat([]byte{0xee}, r.Meta.Size())
		appendHeader(b[:0], r.Sequence, r.Meta)
		copy(b[HeaderSize:], r.Payload())
		if err := Seal(b, r.Sequence, r.Meta); err != nil || !bytes.Equal(b, Append(nil, r)) {
			t.Errorf("%v: %x, %v", r, b, err)
		}
		w := bytes.Repeat([]byte{0xee}, r.Meta.Size())
		copy(w[HeaderSize:], r.Payload())
		if Wrap(w, r.Sequence, r.Meta); !bytes.Equal(w, b) {
			t.Errorf("%v: wrapped as %x, wanted %x", r, w, b)
		}
		seq, m, err := Peek(b[:HeaderSize], 1<<20)
		if seq != r.Sequence || m != r.Meta || err != nil {
			t.Errorf("%v: peeked %d, %x, %v", r, seq, m, err)
		}
	}
}

func TestPeekRefusesWhatDecodeRefuses(t *testing.T) {
	b := Append(nil, NewRecord(1, 0, 0, make([]byte, 100)))
	if _, _, err := Peek(b[:15], 100); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if _, _, err := Peek(b, 99); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if _, _, err := Peek(make([]byte, 16), 99); !errors.Is(err, ErrUncommitted) {
		t.Error(err)
	}
}

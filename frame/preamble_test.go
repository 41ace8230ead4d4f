package frame

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestDecodePreamble(t *testing.T) {
	good := Preamble{Epoch: 2, First: 3}.Append(nil)
	change := func(at int, to byte) []byte {
		b := append([]byte(nil), good...)
		b[at] = to
		return b
	}
	for _, tt := range []struct {
		name string
		b    []byte
		want error
		says []string
	}{
		{"nothing", nil, io.ErrUnexpectedEOF, []string{"wanted 32", "found 0"}},
		{"one byte short", good[:31], io.ErrUnexpectedEOF, []string{"wanted 32", "found 31"}},
		{"part of the magic", good[:3], io.ErrUnexpectedEOF, []string{"found 3"}},
		{"text", []byte("hi\n"), ErrMagic, []string{`"CAROUSEL"`, `"hi\n"`}},
		{"text as long as a preamble", []byte(strings.Repeat("text ", 8)), ErrMagic, []string{`"CAROUSEL"`, `"text tex"`}},
		{"the magic in lower case", change(0, 'c'), ErrMagic, []string{`"cAROUSEL"`}},
		{"version 0", change(8, 0), ErrVersion, []string{"wanted 1", "found 0"}},
		{"version 2", change(8, 2), ErrVersion, []string{"wanted 1", "found 2"}},
		{"bytes of the mark swapped", append(append(append([]byte(nil), good[:10]...), 0xfe, 0xff), good[12:]...), ErrByteOrder, []string{"0xfeff", "0xfffe"}},
		{"a must-understand bit", change(15, 0x80), ErrUnknownFlag, []string{"0x80000000"}},
		{"more than the preamble", append(good[:32:32], 1, 2, 3), nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := DecodePreamble(tt.b)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, wanted %v", err, tt.want)
			}
			if err == nil && p != (Preamble{Version: Version, Epoch: 2, First: 3}) {
				t.Errorf("got %+v", p)
			}
			for _, part := range tt.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

func TestPreambleIsAligned(t *testing.T) {
	if n := len((Preamble{}).Append(nil)); n != PreambleSize || n%Align != 0 {
		t.Errorf("%d bytes", n)
	}
}

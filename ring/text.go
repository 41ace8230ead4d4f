package ring

import (
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"
)

// loadBytes and storeBytes move text and ids, which are for people and for
// comparison, word by word: somebody may be writing them. Offsets are
// multiples of 4, and there is room up to the next one.
func (s segment) loadBytes(off uint64, b []byte) {
	var w [4]byte
	for i := 0; i < len(b); i += 4 {
		binary.LittleEndian.PutUint32(w[:], load32(s.w32(off+uint64(i))))
		copy(b[i:], w[:])
	}
}

func (s segment) storeBytes(off uint64, b []byte) {
	for i := 0; i < len(b); i += 4 {
		var w [4]byte
		copy(w[:], b[i:])
		store32(s.w32(off+uint64(i)), binary.LittleEndian.Uint32(w[:]))
	}
}

// text reads a length word and the text behind it, as far as it is sane.
func (s segment) text(length, off uint64, most int) string {
	n := int(min(load32(s.w32(length)), uint32(most)))
	b := make([]byte, n)
	s.loadBytes(off, b)
	return printable(b)
}

// printable makes text that a peer wrote fit for an error message or a terminal.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, string(b))
}

func validName(s string) bool {
	return len(s) <= MaxName && utf8.ValidString(s) && printable([]byte(s)) == s
}

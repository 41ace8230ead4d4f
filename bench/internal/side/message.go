package side

import "encoding/binary"

// Fill makes b message n: n in every word. Its length is a multiple of 8.
func Fill(b []byte, n uint64) {
	if len(b) == 32 { // a size that the C programs have compiled in, as 8 and 64
		fill32((*[32]byte)(b), n)
		return
	}
	for len(b) >= 64 {
		Fill64((*[64]byte)(b), n)
		b = b[64:]
	}
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, n)
		b = b[8:]
	}
}

// Holds reports whether b is message n, whole and of so many bytes.
func Holds(b []byte, n uint64, size int) bool {
	if len(b) != size {
		return false
	}
	if size == 32 {
		return holds32((*[32]byte)(b), n)
	}
	for len(b) >= 64 {
		if !Holds64((*[64]byte)(b), n) {
			return false
		}
		b = b[64:]
	}
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b) != n {
			return false
		}
		b = b[8:]
	}
	return true
}

func fill32(m *[32]byte, n uint64) {
	binary.LittleEndian.PutUint64(m[0:], n)
	binary.LittleEndian.PutUint64(m[8:], n)
	binary.LittleEndian.PutUint64(m[16:], n)
	binary.LittleEndian.PutUint64(m[24:], n)
}

func holds32(m *[32]byte, n uint64) bool {
	wrong := binary.LittleEndian.Uint64(m[0:]) ^ n
	wrong |= binary.LittleEndian.Uint64(m[8:]) ^ n
	wrong |= binary.LittleEndian.Uint64(m[16:]) ^ n
	wrong |= binary.LittleEndian.Uint64(m[24:]) ^ n
	return wrong == 0
}

// Fill64 is Fill of 64 bytes.
func Fill64(m *[64]byte, n uint64) {
	binary.LittleEndian.PutUint64(m[0:], n)
	binary.LittleEndian.PutUint64(m[8:], n)
	binary.LittleEndian.PutUint64(m[16:], n)
	binary.LittleEndian.PutUint64(m[24:], n)
	binary.LittleEndian.PutUint64(m[32:], n)
	binary.LittleEndian.PutUint64(m[40:], n)
	binary.LittleEndian.PutUint64(m[48:], n)
	binary.LittleEndian.PutUint64(m[56:], n)
}

// Holds64 is Holds of 64 bytes.
func Holds64(m *[64]byte, n uint64) bool {
	wrong := binary.LittleEndian.Uint64(m[0:]) ^ n
	wrong |= binary.LittleEndian.Uint64(m[8:]) ^ n
	wrong |= binary.LittleEndian.Uint64(m[16:]) ^ n
	wrong |= binary.LittleEndian.Uint64(m[24:]) ^ n
	wrong |= binary.LittleEndian.Uint64(m[32:]) ^ n
	wrong |= binary.LittleEndian.Uint64(m[40:]) ^ n
	wrong |= binary.LittleEndian.Uint64(m[48:]) ^ n
	wrong |= binary.LittleEndian.Uint64(m[56:]) ^ n
	return wrong == 0
}

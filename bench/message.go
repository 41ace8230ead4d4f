package main

import "encoding/binary"

const messageSize = 64

// fill makes b message n: n in every word.
func fill(b []byte, n uint64) {
	m := (*[messageSize]byte)(b)
	binary.LittleEndian.PutUint64(m[0:], n)
	binary.LittleEndian.PutUint64(m[8:], n)
	binary.LittleEndian.PutUint64(m[16:], n)
	binary.LittleEndian.PutUint64(m[24:], n)
	binary.LittleEndian.PutUint64(m[32:], n)
	binary.LittleEndian.PutUint64(m[40:], n)
	binary.LittleEndian.PutUint64(m[48:], n)
	binary.LittleEndian.PutUint64(m[56:], n)
}

// holds reports whether b is message n, whole.
func holds(b []byte, n uint64) bool {
	if len(b) != messageSize {
		return false
	}
	m := (*[messageSize]byte)(b)
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

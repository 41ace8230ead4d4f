package mutate

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
)

// A mutator makes inputs.
type mutator struct{ *rand.Rand }

// input sets dst to values like those of entry, of which some come from other
// or are made anew.
func (m mutator) input(dst, entry, other []reflect.Value) {
	change := m.IntN(len(dst)) // one at least is not as it was
	for i, v := range entry {
		if m.IntN(8) == 0 {
			v = other[i]
		}
		if i == change || m.IntN(2) == 0 {
			v = m.value(v, other[i])
		}
		dst[i] = v
	}
}

func (m mutator) value(v, other reflect.Value) reflect.Value {
	to := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Slice:
		to.SetBytes(m.bytes(v.Bytes(), other.Bytes()))
	case reflect.String:
		to.SetString(string(m.bytes([]byte(v.String()), []byte(other.String()))))
	case reflect.Bool:
		to.SetBool(m.IntN(2) == 0)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		to.SetUint(m.number(v.Uint()) & (^uint64(0) >> (64 - v.Type().Bits())))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		shift := 64 - v.Type().Bits()
		to.SetInt(int64(m.number(uint64(v.Int()))) << shift >> shift)
	default:
		panic(fmt.Sprintf("wanted bytes, a string, a truth or an integer, found %v", v.Type()))
	}
	return to
}

// number is near n, near a power of two, or anything.
func (m mutator) number(n uint64) uint64 {
	switch m.IntN(4) {
	case 0:
		return n ^ 1<<m.IntN(64)
	case 1:
		return n + uint64(m.IntN(33)) - 16
	case 2:
		return 1<<m.IntN(64) + uint64(m.IntN(5)) - 2
	}
	return m.Uint64() >> m.IntN(64)
}

// most is how much longer than both that it comes from an input may be.
const most = 1 << 10

// bytes returns b changed, a few times or often; one in sixteen is made anew.
func (m mutator) bytes(b, other []byte) []byte {
	if m.IntN(16) == 0 {
		return m.random(m.IntN(1 << m.IntN(11)))
	}
	limit := len(b) + len(other) + most
	b = slices.Clone(b)
	for range 1 << m.IntN(6) {
		b = m.change(b, other)
		b = b[:min(len(b), limit)]
	}
	return b
}

func (m mutator) random(n int) []byte {
	b := make([]byte, n, n+8)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:i+8:n+8], m.Uint64())
	}
	return b
}

// change makes one change to b, in place if it can.
func (m mutator) change(b, other []byte) []byte {
	if len(b) == 0 {
		return m.random(1 + m.IntN(16))
	}
	at := m.IntN(len(b))
	switch m.IntN(10) {
	case 0:
		b[at] ^= 1 << m.IntN(8)
	case 1:
		b[at] = byte(m.Uint32())
	case 2:
		b[at] += byte(m.IntN(33) - 16)
	case 3: // a number of two, four or eight bytes
		var n [8]byte
		binary.LittleEndian.PutUint64(n[:], m.number(0))
		copy(b[at:], n[:2<<m.IntN(3)])
	case 4: // a number on its own place, a bit more or less
		if at &^= 7; at+8 <= len(b) {
			binary.LittleEndian.PutUint64(b[at:], m.number(binary.LittleEndian.Uint64(b[at:])))
		}
	case 5:
		return slices.Insert(b, at, m.random(1+m.IntN(16))...)
	case 6:
		return slices.Delete(b, at, at+m.stretch(b[at:]))
	case 7: // something is there twice
		return slices.Insert(b, m.IntN(len(b)+1), slices.Clone(b[at:at+m.stretch(b[at:])])...)
	case 8: // something stands where something else was
		copy(b[m.IntN(len(b)):], slices.Clone(b[at:at+m.stretch(b[at:])]))
	case 9:
		if len(other) > 0 {
			from := m.IntN(len(other))
			return slices.Insert(b, at, other[from:from+m.stretch(other[from:])]...)
		}
	}
	return b
}

// stretch is a length within b: mostly a short one.
func (m mutator) stretch(b []byte) int {
	if m.IntN(4) == 0 {
		return 1 + m.IntN(len(b))
	}
	return 1 + m.IntN(min(len(b), 16))
}

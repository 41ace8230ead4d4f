package ring

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

// The same numbers stored by a big-endian machine are refused in words, be it
// all of them or the mark alone.
func TestWrittenByABigEndianMachine(t *testing.T) {
	n, err := Size(Config{Capacity: MinCapacity})
	must(t, err)
	mem := make([]byte, n+8)
	mem = mem[(8-address(mem)%8)%8:][:n]
	_, err = Format(mem, Config{Capacity: MinCapacity})
	must(t, err)
	swap := func(at, size int) { slices.Reverse(mem[at : at+size]) }
	swap(offByteOrder, 4)
	wantBigEndian(t, mem)
	for _, at := range []int{offMagic, offCapacity, offMaxRecord, offRing, offSize} {
		swap(at, 8)
	}
	for _, at := range []int{offVersion, offSlots} {
		swap(at, 4)
	}
	if binary.BigEndian.Uint64(mem[offMagic:]) != magic {
		t.Fatal("this is not what a big-endian machine writes")
	}
	wantBigEndian(t, mem)
}

func wantBigEndian(t *testing.T, mem []byte) {
	t.Helper()
	if _, err := Attach(mem); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "written by a big-endian machine") {
		t.Errorf("got %v, want ErrFormat about a big-endian machine", err)
	}
}

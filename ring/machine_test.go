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
func TestWrittenOnABigEndianMachine(t *testing.T) {
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

func TestOtherPages(t *testing.T) {
	if err := checkPage(4096); err != nil {
		t.Error(err)
	}
	for _, n := range []int{16 << 10, 64 << 10} {
		if err := checkPage(n); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "wanted pages of 4096 bytes for a served ring, found a machine with ") {
			t.Errorf("%d: got %v, want ErrUnsupported about pages", n, err)
		}
	}
}

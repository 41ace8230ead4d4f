package frame

import (
	"errors"
	"math"
	"os/exec"
	"strings"
	"testing"
)

func TestSizeHasRoomForEverythingAndNoLineTooMany(t *testing.T) {
	for n := range 200 {
		for _, f := range []Flags{0, CRC, More, CRC | More, EOS} {
			need := HeaderSize + n
			if f&CRC != 0 {
				if off := CRCOffset(n); off%4 != 0 || off < need || off >= need+4 {
					t.Fatalf("CRCOffset(%d) = %d, wanted the next multiple of 4 from %d", n, off, need)
				}
				need = CRCOffset(n) + 4
			}
			got := Size(n, f)
			if got%Align != 0 || got < need || got >= need+Align {
				t.Fatalf("Size(%d, %v) = %d, wanted the next multiple of %d from %d", n, f, got, Align, need)
			}
			if m := MakeMeta(n, 1, f).Size(); m != got {
				t.Fatalf("Meta.Size() = %d, Size(%d, %v) = %d", m, n, f, got)
			}
		}
	}
}

func TestMetaHoldsItsParts(t *testing.T) {
	for _, n := range []int{0, 1, 4095, MaxPayload} {
		for _, typ := range []uint16{0, 1, 0x8000, 0xffff} {
			for _, f := range []Flags{0, Pad, CRC, EOS, More, Cont, 0xffff} {
				m := MakeMeta(n, typ, f)
				if m.Len() != n || m.Type() != typ || m.Flags() != f {
					t.Errorf("MakeMeta(%d, %#x, %v) holds %d, %#x, %v", n, typ, f, m.Len(), m.Type(), m.Flags())
				}
			}
		}
	}
}

// No word, whoever wrote it, gives sizes that an int of 32 bits cannot hold or
// passes Check with a length beyond the limit.
func TestMetaOfHostileLengths(t *testing.T) {
	for _, l := range []uint32{MaxPayload + 1, MaxPayload + Align, math.MaxInt32 - 16, math.MaxInt32, math.MaxInt32 + 1, math.MaxUint32 - 15, math.MaxUint32} {
		for f := range Flags(0x400) {
			m := Meta(l) | Meta(f)<<48
			if m.Len() != MaxPayload+1 {
				t.Fatalf("length %#x: Len() = %d", l, m.Len())
			}
			if s := m.Size(); s <= MaxPayload || s > math.MaxInt32 {
				t.Fatalf("length %#x, flags %v: Size() = %d", l, f, s)
			}
			if err := m.Check(math.MaxInt); err == nil {
				t.Fatalf("length %#x, flags %v: accepted", l, f)
			}
		}
	}
}

func TestMakeMetaOfAnImpossibleLengthIsRefused(t *testing.T) {
	for _, n := range []int{-1, math.MinInt, MaxPayload + 1, math.MaxInt} {
		if err := MakeMeta(n, 0, 0).Check(math.MaxInt); !errors.Is(err, ErrTooLarge) {
			t.Errorf("length %d: %v, wanted ErrTooLarge", n, err)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name  string
		n     int
		flags Flags
		max   int
		want  error
	}{
		{"an empty record", 0, 0, 0, nil},
		{"a record at the limit", 100, 0, 100, nil},
		{"a record at the limit with CRC", 100, CRC, 100, nil},
		{"a record beyond the limit", 101, 0, 100, ErrTooLarge},
		{"a record beyond the limit in a chain", 101, More | Cont, 100, ErrTooLarge},
		{"the largest record", MaxPayload, CRC, math.MaxInt, nil},
		{"a record beyond any limit", MaxPayload + 1, 0, math.MaxInt, ErrTooLarge},
		{"an empty record under a negative limit is still empty", 0, 0, -1, nil},
		{"a record under a negative limit", 1, 0, -1, ErrTooLarge},
		{"parts of a chain", 10, More | Cont | CRC, 100, nil},
		{"an unknown flag one may ignore", 10, 0x20, 100, nil},
		{"an unknown flag one must understand", 10, 0x0100, 100, ErrUnknownFlag},
		{"all flags one must understand", 10, MustUnderstand, 100, ErrUnknownFlag},
		{"an unknown flag on a filler", 16, Pad | 0x8000, 100, ErrUnknownFlag},
		{"a filler of a header alone", 0, Pad, 100, nil},
		{"a filler as large as the largest record", 112, Pad, 100, nil},
		{"a filler larger than the largest record", 128, Pad, 100, ErrTooLarge},
		{"the largest filler", MaxPayload, Pad, math.MaxInt, nil},
		{"a filler that is not aligned", 8, Pad, 100, ErrMalformed},
		{"a filler with CRC", 16, Pad | CRC, 100, ErrMalformed},
		{"a filler that ends the stream", 16, Pad | EOS, 100, ErrMalformed},
		{"a filler in a chain", 16, Pad | More, 100, ErrMalformed},
		{"a filler that ends a chain", 16, Pad | Cont, 100, ErrMalformed},
		{"an end", 8, EOS, 100, nil},
		{"an end with CRC", 8, EOS | CRC, 100, nil},
		{"an end does not count as a record for the limit", 8, EOS, 0, nil},
		{"an end without its epoch", 0, EOS, 100, ErrMalformed},
		{"an end that is too long", 16, EOS, 100, ErrMalformed},
		{"an end in a chain", 8, EOS | More, 100, ErrMalformed},
		{"an end that continues a chain", 8, EOS | Cont, 100, ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := MakeMeta(tt.n, 0xffff, tt.flags).Check(tt.max); !errors.Is(err, tt.want) {
				t.Errorf("got %v, wanted %v", err, tt.want)
			}
		})
	}
}

func TestCounts(t *testing.T) {
	for f, want := range map[Flags]bool{0: true, CRC: true, More: true, Cont: true, Pad: false, EOS: false, EOS | CRC: false} {
		if got := MakeMeta(0, 0, f).Counts(); got != want {
			t.Errorf("Meta with flags %v counts: %t", f, got)
		}
		if got := (NewRecord(0, 0, f, nil)).Counts(); got != want {
			t.Errorf("Record with flags %v counts: %t", f, got)
		}
	}
}

func TestFlagsString(t *testing.T) {
	for f, want := range map[Flags]string{0: "0", Pad: "PAD", CRC | More: "CRC|MORE", EOS | Cont | 0x8000: "EOS|CONT|0x8000", 0x20: "0x0020"} {
		if got := f.String(); got != want {
			t.Errorf("Flags(%#x) is %q, wanted %q", uint16(f), got, want)
		}
	}
}

// The ring calls these for every record.
func TestHotPathInlines(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: -short: it compiles the package")
	}
	gotool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("SKIP: no go command: ", err)
	}
	out, err := exec.Command(gotool, "build", "-gcflags=-m", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, f := range []string{"MakeMeta", "Meta.Len", "Meta.Type", "Meta.Flags", "Meta.Counts", "Meta.Size", "Meta.Check", "Size", "CRCOffset"} {
		if !strings.Contains(string(out), "can inline "+f+"\n") {
			t.Errorf("%s does not inline", f)
		}
	}
}

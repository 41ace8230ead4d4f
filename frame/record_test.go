package frame

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pattern returns n bytes, none of them zero, so that padding shows.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i%255) + 1
	}
	return b
}

func TestDecodeReturnsWhatAppendTook(t *testing.T) {
	for n := range 70 {
		for _, f := range []Flags{0, CRC, More, Cont | CRC} {
			want := NewRecord(uint64(n)<<40+1, uint16(n), f, pattern(n))
			b := Append([]byte("before"), want)
			if !bytes.HasPrefix(b, []byte("before")) {
				t.Fatal("Append touched what was there")
			}
			b = append(b[len("before"):], 0xff, 0xff, 0xff) // not ours to look at
			got, used, err := Decode(b, n)
			if err != nil {
				t.Fatalf("payload of %d, flags %v: %v", n, f, err)
			}
			if used != Size(n, f) {
				t.Errorf("payload of %d, flags %v: used %d bytes, wanted %d", n, f, used, Size(n, f))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("payload of %d, flags %v (-want +got):\n%s", n, f, diff)
			}
		}
	}
}

func TestAppendZeroesTheSpareSpaceItUses(t *testing.T) {
	dirty := bytes.Repeat([]byte{0xff}, 256)
	want := NewRecord(1, 0, CRC, pattern(5))
	if got := Append(dirty[:0], want); !bytes.Equal(got, Append(nil, want)) {
		t.Errorf("got % x", got)
	}
}

func TestDecodedPayloadCannotBeAppendedInto(t *testing.T) {
	b := Append(nil, NewRecord(1, 0, 0, pattern(5)))
	before := bytes.Clone(b)
	r, _, err := Decode(b, 100)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(r.Payload(), 0xff)
	if !bytes.Equal(b, before) {
		t.Error("appending to the payload wrote into the frame")
	}
}

func TestEveryTruncationIsAnUnexpectedEOF(t *testing.T) {
	for name := range goldenFrames {
		b := golden(t, name)
		for cut := range len(b) {
			r, n, err := Decode(b[:cut:cut], MaxPayload)
			if !errors.Is(err, io.ErrUnexpectedEOF) || n != 0 || r.Payload() != nil {
				t.Errorf("%s cut to %d of %d bytes: %+v, %d, %v", name, cut, len(b), r, n, err)
			}
		}
	}
}

// A flip of the CRC flag itself cannot be found out when the frame without a
// CRC would be a line shorter; then the record is unchanged but for the flag.
func TestEveryBitFlipOfAFrameWithCRCIsDetected(t *testing.T) {
	for n := range 40 {
		want := NewRecord(5, 9, CRC, pattern(n))
		b := Append(nil, want)
		size := len(b)
		b = Append(b, NewRecord(6, 0, CRC, pattern(50)))
		for bit := range 8 * size {
			b[bit/8] ^= 1 << (bit % 8)
			got, _, err := Decode(b, 1<<20)
			b[bit/8] ^= 1 << (bit % 8)
			if err != nil {
				continue
			}
			got = NewRecord(got.Sequence, got.Type(), got.Flags()^CRC, got.Payload())
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("payload of %d, bit %d flipped and accepted (-want +got):\n%s", n, bit, diff)
			}
		}
	}
}

func TestPaddingThatIsNotZeroIsMalformed(t *testing.T) {
	for _, tt := range []struct {
		flags Flags
		n, at int
	}{
		{0, 1, HeaderSize + 1}, {0, 1, 31}, {0, 15, 31},
		{CRC, 1, HeaderSize + 1}, {CRC, 1, HeaderSize + 3}, {CRC, 1, HeaderSize + 8}, {CRC, 1, 31},
	} {
		b := Append(nil, NewRecord(1, 0, tt.flags, pattern(tt.n)))
		b[tt.at] = 1
		if _, _, err := Decode(b, 100); !errors.Is(err, ErrMalformed) {
			t.Errorf("flags %v, payload of %d, byte %d set: %v, wanted ErrMalformed", tt.flags, tt.n, tt.at, err)
		}
	}
}

func TestSequenceZeroIsUncommitted(t *testing.T) {
	_, _, err := Decode(make([]byte, 64), 100)
	if !errors.Is(err, ErrUncommitted) || !errors.Is(err, ErrMalformed) {
		t.Errorf("got %v, wanted ErrUncommitted, which is ErrMalformed", err)
	}
}

func TestALengthThatLiesIsRefusedBeforeItIsUsed(t *testing.T) {
	b := make([]byte, 64)
	binary.LittleEndian.PutUint64(b, 1)
	binary.LittleEndian.PutUint32(b[8:], 0xfffffff0)
	if _, _, err := Decode(b, MaxPayload); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v, wanted ErrTooLarge", err)
	}
	binary.LittleEndian.PutUint32(b[8:], 49)
	if _, _, err := Decode(b, MaxPayload); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, wanted io.ErrUnexpectedEOF", err)
	}
}

func TestChecksumErrorTellsBoth(t *testing.T) {
	b := Append(nil, NewRecord(7, 0, CRC, []byte("hello")))
	b[HeaderSize] ^= 1
	_, _, err := Decode(b, 100)
	var ce *ChecksumError
	if !errors.Is(err, ErrChecksum) || !errors.As(err, &ce) {
		t.Fatalf("got %v, wanted a *ChecksumError that is ErrChecksum", err)
	}
	if ce.Sequence != 7 || ce.Found != binary.LittleEndian.Uint32(b[CRCOffset(5):]) || ce.Want == ce.Found {
		t.Errorf("got %+v", ce)
	}
	for _, part := range []string{"sequence 7", "wanted", "found"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestChecksumIsTheCRC32COfTheBytes(t *testing.T) {
	for n := range 64 {
		r := NewRecord(0x8070605040302010+uint64(n), 0xabcd, CRC|More, pattern(n))
		b := Append(nil, r)
		want := crc32.Checksum(b[:HeaderSize+n], crc32.MakeTable(crc32.Castagnoli))
		if got := Checksum(r.Sequence, r.Meta, r.Payload()); got != want {
			t.Fatalf("payload of %d: %#x, wanted %#x", n, got, want)
		}
	}
}

func TestSealAndVerifyNeedTheWholeFrame(t *testing.T) {
	m := MakeMeta(5, 0, CRC)
	for n := range m.Size() {
		if err := Seal(make([]byte, n), 1, m); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("Seal in %d bytes: %v", n, err)
		}
		if err := Verify(make([]byte, n), 1, m); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("Verify in %d bytes: %v", n, err)
		}
	}
}

// The ring writes the header words itself, the sequence last.
func TestSealedFrameWithoutItsHeaderIsTheAppendedOne(t *testing.T) {
	r := NewRecord(3, 4, CRC, pattern(21))
	want := Append(nil, r)
	got := bytes.Repeat([]byte{0xff}, len(want))
	copy(got[HeaderSize:], r.Payload())
	if err := Seal(got, r.Sequence, r.Meta); err != nil {
		t.Fatal(err)
	}
	if err := Verify(got, r.Sequence, r.Meta); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(got[HeaderSize:], want[HeaderSize:]) {
		t.Errorf("got  % x\nwant % x", got[HeaderSize:], want[HeaderSize:])
	}
}

func TestNothingAllocates(t *testing.T) {
	r := NewRecord(1, 0, CRC, pattern(100))
	m, buf := r.Meta, make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() {
		buf = Append(buf[:0], r)
		_ = Checksum(1, m, r.Payload())
		if _, _, err := Decode(buf, 100); err != nil {
			t.Error(err)
		}
		_ = m.Check(100)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

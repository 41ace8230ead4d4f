package frame

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/carousel-ipc/carousel/internal/mutate"
)

// fuzzMax keeps the fuzzers from spending their time on large payloads.
const fuzzMax = 1 << 12

func addGolden(f *mutate.F) {
	for name := range goldenFrames {
		f.Add(golden(f, name))
	}
}

// FuzzDecode: whatever is accepted encodes to the very bytes it came from.
func FuzzDecode(tf *testing.F) {
	f := mutate.Of(tf)
	addGolden(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, n, err := Decode(b, fuzzMax)
		if err != nil {
			if n != 0 || r.Payload() != nil {
				t.Fatalf("%v, but also %+v, %d", err, r, n)
			}
			return
		}
		if n <= 0 || n > len(b) || n%Align != 0 {
			t.Fatalf("%d bytes used of %d", n, len(b))
		}
		if again := Append(nil, r); !bytes.Equal(again, b[:n]) {
			t.Fatalf("decoded % x\nencoded % x", b[:n], again)
		}
	})
}

// FuzzReader: a stream of any bytes ends, with the same frames and the same
// kind of end however the bytes arrive, and as decoding the frames one by one
// would have it.
func FuzzReader(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add(golden(f, "stream"))
	f.Add(golden(f, "preamble"))
	for name := range goldenFrames {
		f.Add(append(golden(f, "preamble"), golden(f, name)...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want, wantErr := decodeAll(b)
		for name, src := range map[string]io.Reader{
			"whole":         bytes.NewReader(b),
			"byte by byte":  iotest.OneByteReader(bytes.NewReader(b)),
			"data with EOF": iotest.DataErrReader(bytes.NewReader(b)),
		} {
			var got []byte
			r := NewReader(src, fuzzMax)
			rec, err := r.Next()
			for ; err == nil; rec, err = r.Next() {
				got = Append(got, rec)
			}
			if err == io.EOF {
				err = nil
			}
			if !bytes.Equal(got, want) || kind(err) != kind(wantErr) {
				t.Fatalf("%s:\n% x, %v\nwanted\n% x, %v", name, got, err, want, wantErr)
			}
			if len(r.buf) > max(2*len(b), streamBuffer) {
				t.Fatalf("%s: %d bytes of memory for %d bytes received", name, len(r.buf), len(b))
			}
		}
	})
}

// decodeAll is what a Reader should do, without reading.
func decodeAll(b []byte) (frames []byte, err error) {
	if _, err := DecodePreamble(b); err != nil {
		return nil, err
	}
	for b = b[PreambleSize:]; len(b) > 0; {
		r, n, err := Decode(b, fuzzMax)
		if err != nil {
			return frames, err
		}
		frames = append(frames, b[:n]...)
		b = b[n:]
		if r.Flags()&EOS != 0 {
			break
		}
	}
	return frames, nil
}

// kind returns the sentinel that err is.
func kind(err error) error {
	for _, k := range []error{nil, ErrTooLarge, ErrUnknownFlag, ErrUncommitted, ErrMalformed, ErrChecksum,
		ErrMagic, ErrByteOrder, ErrVersion, io.ErrUnexpectedEOF} {
		if errors.Is(err, k) {
			return k
		}
	}
	return err
}

// FuzzRoundTrip: what a Writer takes, a Reader returns; what it refuses, a
// Decode refuses too.
func FuzzRoundTrip(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add(uint64(1), uint16(0), uint16(0), []byte(nil))
	f.Add(uint64(2), uint16(7), uint16(CRC|More), []byte("hello"))
	f.Add(uint64(3), uint16(0), uint16(EOS), make([]byte, 8))
	f.Add(uint64(4), uint16(0), uint16(Pad), make([]byte, 16))
	f.Add(uint64(0), uint16(0xffff), uint16(0x8000), []byte("x"))
	f.Fuzz(func(t *testing.T, seq uint64, typ, flags uint16, payload []byte) {
		if len(payload) > fuzzMax {
			return
		}
		want := NewRecord(seq, typ, Flags(flags), payload)
		b := Append(nil, want)
		if len(b) != Size(len(payload), want.Flags()) {
			t.Fatalf("%d bytes, Size says %d", len(b), Size(len(payload), want.Flags()))
		}
		var buf bytes.Buffer
		w := NewWriter(&buf, Preamble{First: seq})
		werr := w.Write(want)
		if _, _, err := Decode(b, fuzzMax); kind(err) != kind(werr) {
			t.Fatalf("Write: %v, Decode: %v", werr, err)
		}
		if werr != nil {
			return
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(buf.Bytes()[PreambleSize:], b) {
			t.Fatalf("written  % x\nappended % x", buf.Bytes()[PreambleSize:], b)
		}
		got, err := NewReader(&buf, fuzzMax).Next()
		if err != nil {
			t.Fatal(err)
		}
		if got.Sequence != seq || got.Type() != typ || got.Flags() != want.Flags() || !bytes.Equal(got.Payload(), payload) {
			t.Fatalf("got %+v, wanted %+v", got, want)
		}
	})
}

package frame

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func writeStream(t testing.TB, p Preamble, records ...Record) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, p)
	for _, r := range records {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readAll returns copies of all frames up to a clean end.
func readAll(r *Reader) ([]Record, error) {
	var all []Record
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		rec = View(rec.Sequence, rec.Meta, bytes.Clone(rec.Payload()))
		all = append(all, rec)
	}
}

// sample is a stream with frames of many sizes, some larger than the buffers.
func sample() (rs []Record) {
	seq := uint64(0)
	for _, n := range []int{0, 1, 15, 16, 17, 1000, 0, streamBuffer - 40, streamBuffer, 3*streamBuffer + 1, 5} {
		for _, f := range []Flags{0, CRC} {
			seq++
			rs = append(rs, NewRecord(seq, uint16(n), f, pattern(n)))
		}
	}
	rs = append(rs, NewRecord(seq+1, 0, Pad, pattern(32)))
	return append(rs, NewRecord(seq+1, 0, EOS, make([]byte, 8)))
}

func TestReaderReturnsWhatWriterTook(t *testing.T) {
	want := sample()
	b := writeStream(t, Preamble{Epoch: 3, First: 1}, want...)
	for name, src := range map[string]func(io.Reader) io.Reader{
		"whole":         func(r io.Reader) io.Reader { return r },
		"byte by byte":  iotest.OneByteReader,
		"half by half":  iotest.HalfReader,
		"data with EOF": iotest.DataErrReader,
		"empty reads":   func(r io.Reader) io.Reader { return &stutter{r: r} },
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(src(bytes.NewReader(b)), MaxPayload)
			if p, err := r.Preamble(); err != nil || p != (Preamble{Version: Version, Epoch: 3, First: 1}) {
				t.Fatalf("preamble %+v, %v", p, err)
			}
			got, err := readAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) {
				t.Fatalf("%d frames, wanted %d", len(got), len(want))
			}
			for i := range want { // cmp.Diff would take seconds
				if !bytes.Equal(Append(nil, got[i]), Append(nil, want[i])) {
					t.Errorf("frame %d: got sequence %d, flags %v, %d bytes; wanted sequence %d, flags %v, %d bytes",
						i, got[i].Sequence, got[i].Flags(), len(got[i].Payload()), want[i].Sequence, want[i].Flags(), len(want[i].Payload()))
				}
			}
			if r.Offset() != int64(len(b)) {
				t.Errorf("offset %d at the end, wanted %d", r.Offset(), len(b))
			}
		})
	}
}

func TestWriterAndAppendWriteTheSameBytes(t *testing.T) {
	p := Preamble{Epoch: 1, First: 1}
	want := p.Append(nil)
	for _, r := range sample() {
		want = Append(want, r)
	}
	if got := writeStream(t, p, sample()...); !bytes.Equal(got, want) {
		t.Errorf("Writer wrote %d bytes, Append %d, and they differ", len(got), len(want))
	}
}

func TestFlushOfAnEmptyStreamWritesThePreamble(t *testing.T) {
	b := writeStream(t, Preamble{First: 8})
	if !bytes.Equal(b, Preamble{First: 8}.Append(nil)) {
		t.Errorf("got % x", b)
	}
	if got, err := readAll(NewReader(bytes.NewReader(b), 100)); err != nil || len(got) != 0 {
		t.Errorf("read %v, %v", got, err)
	}
}

func TestEveryTruncationOfAStream(t *testing.T) {
	b := Preamble{First: 1}.Append(nil)
	ends := map[int]int{PreambleSize: 0} // clean ends: offset, frames before it
	for i := range 5 {
		b = Append(b, NewRecord(uint64(i+1), 0, CRC, pattern(i*7)))
		ends[len(b)] = i + 1
	}
	for cut := range len(b) + 1 {
		got, err := readAll(NewReader(bytes.NewReader(b[:cut]), 100))
		if n, clean := ends[cut]; clean {
			if err != nil || len(got) != n {
				t.Errorf("cut at %d: %d frames, %v; wanted %d and a clean end", cut, len(got), err, n)
			}
		} else if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut at %d: %v, wanted io.ErrUnexpectedEOF", cut, err)
		}
	}
}

func TestNothingIsReadAfterTheEnd(t *testing.T) {
	b := writeStream(t, Preamble{}, NewRecord(1, 0, EOS, make([]byte, 8)))
	b = append(b, "garbage"...)
	r := NewReader(bytes.NewReader(b), 100)
	if rec, err := r.Next(); err != nil || rec.Flags() != EOS {
		t.Fatalf("got %+v, %v", rec, err)
	}
	for range 2 {
		if _, err := r.Next(); err != io.EOF {
			t.Errorf("got %v, wanted io.EOF", err)
		}
	}
}

func TestReaderGoesOnWhenTheSourceHasGrown(t *testing.T) {
	b := writeStream(t, Preamble{}, NewRecord(1, 0, 0, pattern(40)), NewRecord(2, 0, 0, pattern(9)))
	var src bytes.Buffer
	r := NewReader(&src, 100)
	var got []uint64
	for i := range b {
		src.WriteByte(b[i])
		rec, err := r.Next()
		switch {
		case err == nil:
			got = append(got, rec.Sequence)
		case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]uint64{1, 2}, got); diff != "" {
		t.Error(diff)
	}
}

func TestReaderKeepsTheSourcesError(t *testing.T) {
	b := writeStream(t, Preamble{}, NewRecord(1, 0, 0, pattern(40)))
	broken := errors.New("broken")
	for _, cut := range []int{0, 10, PreambleSize, PreambleSize + 3, PreambleSize + HeaderSize, len(b) - 1} {
		r := NewReader(io.MultiReader(bytes.NewReader(b[:cut]), iotest.ErrReader(broken)), 100)
		if _, err := r.Next(); !errors.Is(err, broken) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
}

func TestReaderOfSomethingElse(t *testing.T) {
	for name, src := range map[string]string{"short text": "hello\n", "long text": "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"} {
		if _, err := NewReader(bytes.NewReader([]byte(src)), 100).Next(); !errors.Is(err, ErrMagic) {
			t.Errorf("%s: %v, wanted ErrMagic", name, err)
		}
	}
}

func TestReaderRefusesASourceThatNeverGives(t *testing.T) {
	if _, err := NewReader(never{}, 100).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v, wanted io.ErrNoProgress", err)
	}
}

func TestReaderSurvivesASourceThatMiscounts(t *testing.T) {
	for _, n := range []miscount{-1, 1 << 30} {
		if _, err := NewReader(n, 100).Next(); err == nil {
			t.Errorf("a count of %d was believed", n)
		}
	}
}

// A frame that announces a gigabyte and brings nothing must not cost one.
func TestALengthThatLiesCostsNoMemory(t *testing.T) {
	b := Preamble{}.Append(nil)
	b = binary.LittleEndian.AppendUint64(b, 1)
	b = binary.LittleEndian.AppendUint64(b, uint64(MakeMeta(MaxPayload, 0, 0)))
	b = append(b, pattern(3*streamBuffer)...)
	r := NewReader(bytes.NewReader(b), MaxPayload)
	if _, err := r.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, wanted io.ErrUnexpectedEOF", err)
	}
	if len(r.buf) > 2*len(b) {
		t.Errorf("%d bytes of memory for %d bytes received", len(r.buf), len(b))
	}
}

func TestWriterRefusesWhatAReaderWould(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b, Preamble{})
	for _, tt := range []struct {
		r    Record
		want error
	}{
		{Record{}, ErrUncommitted},
		{NewRecord(1, 0, 0x100, nil), ErrUnknownFlag},
		{NewRecord(1, 0, EOS, nil), ErrMalformed},
		{NewRecord(1, 0, Pad, []byte("x")), ErrMalformed},
	} {
		if err := w.Write(tt.r); !errors.Is(err, tt.want) {
			t.Errorf("%+v: %v, wanted %v", tt.r, err, tt.want)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if b.Len() != PreambleSize {
		t.Errorf("%d bytes written, wanted the preamble alone", b.Len())
	}
}

func TestWriterKeepsTheError(t *testing.T) {
	w := NewWriter(iotest.TruncateWriter(io.Discard, 0), Preamble{})
	if err := w.Flush(); err != nil {
		t.Fatal(err) // TruncateWriter pretends
	}
	broken := errors.New("broken")
	w = NewWriter(failing{broken}, Preamble{})
	if err := w.Flush(); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := w.Write(NewRecord(1, 0, 0, pattern(2*streamBuffer))); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestWriterAndReaderDoNotAllocateForEachRecord(t *testing.T) {
	rec := NewRecord(1, 0, CRC, pattern(100))
	w := NewWriter(io.Discard, Preamble{})
	if n := testing.AllocsPerRun(1000, func() { _ = w.Write(rec) }); n != 0 {
		t.Errorf("Write: %v allocations", n)
	}
	var b []byte
	b = Preamble{}.Append(b)
	for range 2000 {
		b = Append(b, rec)
	}
	r := NewReader(bytes.NewReader(b), 100)
	if _, err := r.Preamble(); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() { _, _ = r.Next() }); n != 0 {
		t.Errorf("Next: %v allocations", n)
	}
}

// stutter returns nothing every other time, which the contract of io.Reader
// discourages but allows.
type stutter struct {
	r     io.Reader
	quiet bool
}

func (s *stutter) Read(p []byte) (int, error) {
	if s.quiet = !s.quiet; s.quiet {
		return 0, nil
	}
	return s.r.Read(p)
}

type never struct{}

func (never) Read([]byte) (int, error) { return 0, nil }

type miscount int

func (m miscount) Read([]byte) (int, error) { return int(m), nil }

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

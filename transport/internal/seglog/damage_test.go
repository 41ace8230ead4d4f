package seglog

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/internal/mutate"
	"github.com/carousel-ipc/carousel/ring"
)

// image is a segment as a killed producer leaves it: 12 records, no end.
func image(t testing.TB) (b []byte, g segment) {
	dir := t.TempDir()
	w := create(t, dir, Config{})
	appendRecords(t, w, 12)
	g = w.list[0].segment
	closed(t, w)
	b, err := os.ReadFile(filepath.Join(dir, g.name()))
	if err != nil {
		t.Fatal(err)
	}
	return b, g
}

// boundary returns how many frames of an image end at or before offset n.
func boundary(b []byte, n int) (frames uint64) {
	for at := frame.PreambleSize; at < n; frames++ {
		_, size, err := frame.Decode(b[at:], frame.MaxPayload)
		if err != nil || at+size > n {
			return frames
		}
		at += size
	}
	return frames
}

// readImage opens a log that consists of one segment, of a dead producer, and
// returns how many whole records it yields and the error behind them.
func readImage(t testing.TB, d *memory, p Place) (n uint64, err error) {
	r := &Reader{d: d}
	r.died.Store(true)
	if err := r.start(p, false); err != nil {
		return 0, err
	}
	for {
		rec, err := r.TryNext()
		if err != nil {
			return n, err
		}
		if n++; isRecord(rec, n) != nil {
			t.Fatal(isRecord(rec, n))
		}
		r.Release()
	}
}

func memoryOf(name string, b []byte) *memory {
	m := newMemory()
	m.names[name] = &inode{now: b, synced: b}
	return m
}

// A segment cut off anywhere yields the records that are whole; readers say
// that the producer died, and the next producer goes on behind them.
func TestTruncationAtEveryByte(t *testing.T) {
	b, g := image(t)
	for n := range len(b) + 1 {
		d := memoryOf(g.name(), b[:n:n])
		want := boundary(b, n)
		if got, err := readImage(t, d, oldest); got != want || !errors.Is(err, ring.ErrProducerDied) {
			t.Fatalf("%d bytes: %d records, %v; want %d", n, got, err, want)
		}
		w, err := begin(d, Config{}, [16]byte{1})
		if err != nil || w.Next() != want+1 || len(w.Notes()) > 0 {
			t.Fatalf("%d bytes: %v, goes on at %d, want %d; %v", n, err, w.next, want+1, w.notes)
		}
	}
}

// A flipped bit costs records, and never yields a wrong one; what can be told
// from a torn end is told, and what recovery cuts off it keeps.
func TestFlippedBits(t *testing.T) {
	b, g := image(t)
	rng := rand.New(rand.NewPCG(3, 3))
	for range 3000 {
		bit := rng.IntN(8 * len(b))
		c := append([]byte(nil), b...)
		c[bit/8] ^= 1 << (bit % 8)
		d := memoryOf(g.name(), c)
		got, err := readImage(t, d, oldest)
		switch {
		case got == 12 || err == nil || errors.Is(err, io.EOF):
			t.Fatalf("bit %d: %d records, %v", bit, got, err)
		case got < 11 && !errors.Is(err, ring.ErrCorrupt) && !isFrameError(err):
			t.Fatalf("bit %d: %d records, %v; want ErrCorrupt", bit, got, err)
		}
		w, err := begin(d, Config{}, [16]byte{1})
		if err != nil || w.Next() != got+1 {
			t.Fatalf("bit %d: %v, goes on at %d, want %d", bit, err, w.next, got+1)
		}
		if got < 11 && (len(w.Notes()) != 1 || d.names[g.base()+cutSuffix] == nil) {
			t.Fatalf("bit %d: what was cut off is not kept: %v", bit, w.notes)
		}
	}
}

// Damage that a later segment, or a later frame, shows not to be a torn end is
// told, once. If it is one record the rest can be read, else from where on.
func TestDamageInTheMiddle(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(b []byte, at int)
		one  bool
	}{
		{"a payload", func(b []byte, at int) { b[at+frame.HeaderSize] ^= 4 }, true},
		{"a sequence", func(b []byte, at int) { b[at] ^= 4 }, true},
		{"a length", func(b []byte, at int) { b[at+9] ^= 1 }, false},
		{"zeros", func(b []byte, at int) { clear(b[at : at+512]) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			w := create(t, dir, Config{Segment: 4 << 10})
			appendRecords(t, w, 60)
			defer closed(t, w)
			g, after := w.list[1].segment, w.list[2].segment
			path := filepath.Join(dir, g.name())
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			at, bad := frame.PreambleSize, g.first
			for sizeOf(bad) < 20 || bad < g.first+2 { // the third, or one with a payload
				at += record(bad).Meta.Size()
				bad++
			}
			c.harm(b, at)
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			r := reader(t, dir, oldest)
			expect(t, r, 1, bad-1)
			_, err = next(t, r)
			if !errors.Is(err, ring.ErrCorrupt) || errors.Is(err, frame.ErrChecksum) != c.one {
				t.Errorf("record %d: %v", bad, err)
			}
			if c.one {
				if r.Sequence() != bad+1 {
					t.Errorf("goes on at %d, want %d", r.Sequence(), bad+1)
				}
				expect(t, r, bad+1, 60)
			} else {
				expectError(t, r, ring.ErrCorrupt)
			}
			expect(t, reader(t, dir, Place{Start: ring.Sequence(after.first)}), after.first, 60)
		})
	}
}

// Any bytes as a segment and as its marks: errors, records whose checksums fit,
// and an end.
func FuzzSegment(tf *testing.F) {
	f := mutate.Of(tf)
	b, g := image(f)
	f.Add(b, []byte{}, uint64(1))
	f.Add(b[:len(b)-7], mark{seq: 3, offset: 64}.append(nil), uint64(3))
	f.Add(b[:40], make([]byte, 64), uint64(0))
	f.Add(make([]byte, 200), []byte("garbage"), uint64(9))
	f.Fuzz(func(t *testing.T, b, index []byte, from uint64) {
		d := memoryOf(g.name(), b)
		d.names[g.index()] = &inode{now: index}
		places := []Place{oldest, {Start: ring.Sequence(from)}, {Since: time.Unix(0, int64(from))}}
		r := &Reader{d: d}
		r.died.Store(true)
		if err := r.start(places[from%3], false); err == nil {
			for range len(b)/frame.HeaderSize + 2 {
				rec, err := r.TryNext()
				if err != nil {
					if err == ring.ErrEmpty || errors.Is(err, context.Canceled) {
						t.Fatalf("the end of a dead log is %v", err)
					}
					break
				}
				if rec.Flags()&frame.CRC == 0 || rec.Sequence < g.first {
					t.Fatalf("accepted %v", rec)
				}
				r.Release()
			}
		}
		w, err := begin(d, Config{Segment: 1 << 10}, [16]byte{1})
		if err != nil {
			t.Fatalf("recovery: %v", err)
		}
		if err := w.Append(frame.Append(nil, record(w.Next())), 1); err != nil {
			t.Fatal(err)
		}
	})
}

package seglog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/ring"
)

// payload is that of record seq in these tests: its bytes tell whose they are.
func payload(seq uint64, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(seq*31 + uint64(i)*7 + seq>>8)
	}
	return b
}

// sizeOf is the length of record seq.
func sizeOf(seq uint64) int {
	return int(crc32.ChecksumIEEE(binary.LittleEndian.AppendUint64(nil, seq)) % 700)
}

func record(seq uint64) frame.Record {
	return frame.NewRecord(seq, uint16(seq), frame.CRC, payload(seq, sizeOf(seq)))
}

func isRecord(r frame.Record, seq uint64) error {
	want := record(seq)
	if r.Sequence != seq || r.Type() != want.Type() || string(r.Payload()) != string(want.Payload()) {
		return fmt.Errorf("record %d: found sequence %d, type %d, %d bytes", seq, r.Sequence, r.Type(), len(r.Payload()))
	}
	return nil
}

func appendRecords(t testing.TB, w *Writer, n int) {
	t.Helper()
	for range n {
		if err := w.Append(frame.Append(nil, record(w.Next())), 1); err != nil {
			t.Fatal(err)
		}
	}
}

// endOf is the frame that ends the stream.
func endOf(w *Writer) []byte {
	return frame.Append(nil, frame.NewRecord(w.Next(), 0, frame.EOS|frame.CRC, binary.LittleEndian.AppendUint64(nil, w.Epoch())))
}

func create(t testing.TB, dir string, cfg Config) *Writer {
	t.Helper()
	w, err := Create(dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func closed(t testing.TB, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func reader(t testing.TB, dir string, p Place) *Reader {
	t.Helper()
	r, err := Open(dir, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

var oldest = Place{Start: ring.Oldest}

func next(t testing.TB, r *Reader) (frame.Record, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return r.Next(ctx, ring.Adaptive)
}

func expect(t testing.TB, r *Reader, from, to uint64) {
	t.Helper()
	for seq := from; seq <= to; seq++ {
		rec, err := next(t, r)
		if err == nil {
			err = isRecord(rec, seq)
		}
		if err != nil {
			t.Fatalf("record %d: %v", seq, err)
		}
		if seq%17 == 0 {
			r.Release()
		}
	}
}

func expectError(t testing.TB, r *Reader, want error) {
	t.Helper()
	if rec, err := next(t, r); !errors.Is(err, want) {
		t.Fatalf("got record %d, %v; want %v", rec.Sequence, err, want)
	}
}

func logs(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"+logSuffix))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestReadersFollowAcrossSegmentsAndEpochs(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir, Config{Segment: 4 << 10})
	early := reader(t, dir, oldest)
	appendRecords(t, w, 200)
	if len(logs(t, dir)) < 5 {
		t.Errorf("%d segments", len(logs(t, dir)))
	}
	expect(t, early, 1, 200)
	if err := w.Append(endOf(w), 0); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	expectError(t, early, io.EOF)
	expectError(t, early, io.EOF)

	w = create(t, dir, Config{Segment: 4 << 10})
	if w.Next() != 201 || w.Epoch() != 2 {
		t.Errorf("goes on at %d in epoch %d", w.Next(), w.Epoch())
	}
	appendRecords(t, w, 100)
	if err := early.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	expect(t, early, 201, 300)
	if early.Epoch() != 2 {
		t.Errorf("epoch %d", early.Epoch())
	}
	closed(t, w) // without an end, as if it were killed
	expectError(t, early, ring.ErrProducerDied)

	w = create(t, dir, Config{Segment: 4 << 10})
	appendRecords(t, w, 50)
	if err := early.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	expect(t, early, 301, 350)
	late := reader(t, dir, oldest)
	expect(t, late, 1, 350)
	for _, n := range []uint64{1, 77, 200, 201, 349, 350} {
		expect(t, reader(t, dir, Place{Start: ring.Sequence(n)}), n, 350)
	}
	latest, ahead := reader(t, dir, Place{Start: ring.Latest}), reader(t, dir, Place{Start: ring.Sequence(355)})
	appendRecords(t, w, 10)
	expect(t, latest, 351, 360)
	expect(t, ahead, 355, 360)
	closed(t, w)
}

func TestEmptyEpochsLeaveOneSegment(t *testing.T) {
	dir := t.TempDir()
	for range 5 {
		w := create(t, dir, Config{})
		if err := w.Append(endOf(w), 0); err != nil {
			t.Fatal(err)
		}
		closed(t, w)
	}
	if n := len(logs(t, dir)); n != 1 {
		t.Errorf("%d segments of nothing", n)
	}
	expectError(t, reader(t, dir, oldest), io.EOF)
	if _, err := Open(dir, Place{}); !errors.Is(err, ErrEnded) {
		t.Errorf("from latest: %v", err)
	}
}

func TestOneProducer(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir, Config{Owner: "the first"})
	if _, err := Create(dir, Config{}); !errors.Is(err, ring.ErrProducerLive) || !strings.Contains(err.Error(), "the first") {
		t.Errorf("a second producer: %v", err)
	}
	in, err := Inspect(dir)
	if err != nil || !in.Alive || in.Ended || in.Epoch != 1 || in.Next != 1 || in.Owner != "the first" {
		t.Errorf("%+v, %v", in, err)
	}
	closed(t, w)
	if _, err := Open(dir, Place{}); !errors.Is(err, ErrDead) {
		t.Errorf("from latest: %v", err)
	}
}

func TestRetentionBySizeIsAnExactOverrun(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir, Config{Segment: 4 << 10, RetainBytes: 16 << 10})
	defer closed(t, w)
	slow := reader(t, dir, oldest)
	appendRecords(t, w, 3)
	expect(t, slow, 1, 2)
	slow.Release()
	appendRecords(t, w, 400)
	if w.Bytes() > 20<<10 || len(logs(t, dir)) != len(w.list) {
		t.Errorf("%d bytes, %d segments kept", w.Bytes(), len(logs(t, dir)))
	}
	// What it has open it reads to the end; then the exact loss.
	seq := uint64(3)
	var over *ring.OverrunError
	for ; ; seq++ {
		rec, err := next(t, slow)
		if errors.As(err, &over) {
			break
		}
		if err == nil {
			err = isRecord(rec, seq)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	in, err := Inspect(dir)
	if err != nil || over.From != seq || over.To != in.Oldest-1 || over.Lost != over.To-over.From+1 {
		t.Errorf("overrun %+v at %d; %+v, %v", over, seq, in, err)
	}
	expect(t, slow, over.To+1, 403)
	back := reader(t, dir, Place{Start: ring.Sequence(2)})
	if _, err := next(t, back); !errors.As(err, &over) || over.From != 2 || over.To != in.Oldest-1 {
		t.Errorf("from seq=2: %v", err)
	}
	expect(t, back, in.Oldest, 403)
}

func TestRetentionByAge(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir, Config{Segment: 4 << 10, RetainAge: time.Hour})
	defer closed(t, w)
	appendRecords(t, w, 100)
	if len(logs(t, dir)) < 3 {
		t.Fatal("too few segments")
	}
	for i := range w.list {
		w.list[i].written -= int64(2 * time.Hour)
	}
	appendRecords(t, w, 100)
	if in, err := Inspect(dir); err != nil || in.Oldest < 80 {
		t.Errorf("%+v, %v", in, err)
	}
	expect(t, reader(t, dir, Place{Start: ring.Sequence(150)}), 150, 200)
}

func TestReplayFromATime(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir, Config{Segment: 8 << 10})
	defer closed(t, w)
	appendRecords(t, w, 100)
	time.Sleep(2 * markEvery)
	then := time.Now()
	time.Sleep(2 * markEvery)
	appendRecords(t, w, 100)
	r := reader(t, dir, Place{Since: then})
	rec, err := next(t, r)
	if err != nil || rec.Sequence > 101 || rec.Sequence < 50 {
		t.Fatalf("begins at %d, %v", rec.Sequence, err)
	}
	expect(t, r, rec.Sequence+1, 200)
	expect(t, reader(t, dir, Place{Since: then.Add(-time.Hour)}), 1, 200)
	r = reader(t, dir, Place{Since: time.Now()})
	if rec, err := next(t, r); err != nil || rec.Sequence < 101 {
		t.Errorf("begins at %d, %v", rec.Sequence, err)
	}
}

// Marks that lie are hints that lead nowhere.
func TestMarksThatLie(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir, Config{})
	defer closed(t, w)
	appendRecords(t, w, 50)
	g := w.list[0].segment
	var b []byte
	for _, m := range []mark{{10, 32, 5}, {20, 1 << 40, 6}, {30, 48, 7}, {1 << 60, 1 << 60, 8}} {
		b = m.append(b)
	}
	b = append(b, make([]byte, 77)...)
	if err := os.WriteFile(filepath.Join(dir, g.index()), b, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, n := range []uint64{1, 15, 25, 35, 50} {
		expect(t, reader(t, dir, Place{Start: ring.Sequence(n)}), n, 50)
	}
	expect(t, reader(t, dir, Place{Since: time.Unix(0, 7)}), 1, 50)
}

func TestWaitsEnd(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir, Config{})
	for _, wait := range []ring.Wait{ring.Adaptive, ring.Spin, ring.Yield, ring.Block} {
		r := reader(t, dir, oldest)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := r.Next(ctx, wait); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v: %v", wait, err)
		}
		cancel()
		time.AfterFunc(20*time.Millisecond, func() { _ = r.Close() })
		if _, err := r.Next(t.Context(), wait); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%v: %v", wait, err)
		}
	}
	r := reader(t, dir, oldest)
	time.AfterFunc(20*time.Millisecond, func() { _ = w.Append(frame.Append(nil, record(1)), 1) })
	expect(t, r, 1, 1)
	start := time.Now()
	time.AfterFunc(20*time.Millisecond, func() { _ = w.Close() })
	expectError(t, r, ring.ErrProducerDied)
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("the producer's death was told after %v", d)
	}
	r2 := reader(t, dir, oldest)
	expect(t, r2, 1, 1)
	os.RemoveAll(dir)
	expectError(t, r2, ring.ErrProducerDied)
	if err := r2.Wait(t.Context()); !errors.Is(err, ring.ErrRemoved) {
		t.Errorf("waiting in a folder that was removed: %v", err)
	}
}

func TestSyncs(t *testing.T) {
	for _, s := range []Sync{{}, {Each: true}, {Interval: 2 * time.Millisecond}} {
		dir := t.TempDir()
		w := create(t, dir, Config{Segment: 4 << 10, Sync: s})
		for range 10 {
			appendRecords(t, w, 10)
			time.Sleep(time.Millisecond)
		}
		if err := w.Sync(); err != nil {
			t.Error(err)
		}
		if d := loadState(folder{dir: dir}).durable; d != w.list[len(w.list)-1].first {
			t.Errorf("%+v: durable %d, want %d", s, d, w.list[len(w.list)-1].first)
		}
		closed(t, w)
		if err := w.Sync(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

// Producers that were killed before they wrote anything leave segments of
// nothing, with a preamble or without.
func TestSegmentsOfNothingAreSteppedOver(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir, Config{})
	appendRecords(t, w, 5)
	closed(t, w)
	for epoch := uint64(2); epoch < 8; epoch++ {
		g := segment{first: 6, epoch: epoch}
		b := frame.Preamble{Epoch: epoch, First: 6}.Append(nil)
		if err := os.WriteFile(filepath.Join(dir, g.name()), b[:16*(epoch%3)], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := reader(t, dir, oldest)
	expect(t, r, 1, 5)
	expectError(t, r, ring.ErrProducerDied)
	w = create(t, dir, Config{})
	if w.Next() != 6 || w.Epoch() != 8 {
		t.Errorf("goes on at %d in epoch %d", w.Next(), w.Epoch())
	}
	appendRecords(t, w, 5)
	defer closed(t, w)
	expect(t, reader(t, dir, oldest), 1, 10)
	expect(t, r, 6, 10)
}

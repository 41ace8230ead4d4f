package fuzz

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/internal/mutate"
	"github.com/carousel-ipc/carousel/ring"
)

// edit puts a word wherever the input says: two bytes for the place, eight for
// the word.
func edit(mem, edits []byte) {
	for ; len(edits) >= 10; edits = edits[10:] {
		at := int(binary.LittleEndian.Uint16(edits)) * 8 % len(mem)
		copy(mem[at:], edits[2:10])
	}
}

// place is an edit of the word at an offset.
func place(at int, word uint64) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint16(nil, uint16(at/8)), word)
}

// FuzzImage: a ring's memory in which anything may stand, and for some inputs
// its two files. Whoever opens it, looks, reads or takes the ring over
// gets an error that has a name, or what is within bounds, before long.
func FuzzImage(tf *testing.F) {
	f := mutate.Of(tf)
	path := filepath.Join(memoryDir(f), "image")
	r, err := ring.CreateFile(path, ring.Config{Capacity: ring.MinCapacity, Slots: 2})
	must(f, err)
	p, err := r.NewProducer()
	must(f, err)
	for i := range uint64(60) {
		_, err := p.Write(payload(i+1, int(i*3)))
		must(f, err)
	}
	must(f, p.Close())
	must(f, r.Close())
	var files [2]*os.File
	var clean [2][]byte
	for i, suffix := range []string{".ring", ".slots"} {
		clean[i], err = os.ReadFile(path + suffix)
		must(f, err)
		files[i], err = os.OpenFile(path+suffix, os.O_RDWR, 0)
		must(f, err)
		f.Cleanup(func() { files[i].Close() })
	}
	whole := bytes.Join(clean[:], nil)
	bystander(f, path)
	defer futex.Restrict(false, true)()
	const inFiles = 240
	f.Add(place(4096, 1<<62), byte(inFiles))
	f.Add([]byte{}, byte(inFiles+1))
	for at := range 16 {
		f.Add(place(8*at, ^uint64(0)), byte(at))
		f.Add(place(4096+8*at, 1<<62), byte(at))
		f.Add(place(len(clean[0])+8*at, 1<<63), byte(at))
	}
	image := aligned(len(whole))
	f.Fuzz(func(t *testing.T, edits []byte, how byte) {
		defer quickly(t)()
		copy(image, whole)
		edit(image, edits)
		var r *ring.Ring
		var err error
		if how >= inFiles { // system calls and the kernel's notices take a hundred times as long
			at := 0
			for i, file := range files {
				_, err := file.WriteAt(image[at:at+len(clean[i])], 0)
				must(t, err)
				at += len(clean[i])
			}
			r, err = ring.OpenFile(path)
		} else {
			r, err = ring.Attach(image)
		}
		if err != nil {
			named(t, err, ring.ErrFormat, os.ErrNotExist)
			return
		}
		defer func() { must(t, r.Close()) }()
		_, err = r.Stats()
		must(t, err)
		use(t, r, how, func(ring.Record) {})
	})
}

// bystander watches another ring until the end, so that the notices of deaths are
// not set up and torn down for every input, which the kernel takes long for.
func bystander(f testing.TB, path string) {
	r, err := ring.CreateFile(path+"-other", ring.Config{Capacity: ring.MinCapacity, Slots: 1})
	must(f, err)
	c, err := r.NewConsumer(ring.ConsumerConfig{})
	must(f, err)
	f.Cleanup(func() { must(f, c.Close()); must(f, r.Close()) })
}

// use is a consumer and then a producer on a ring of which nothing is known.
func use(t *testing.T, r *ring.Ring, how byte, got func(ring.Record)) {
	from := []ring.Start{ring.Latest, ring.Oldest, ring.Sequence(uint64(how) + 1)}[how/3%3]
	wait := ring.Block // no turn of a processor is given away, which on a busy machine takes long
	if how%16 == 15 {
		wait = ring.Adaptive
	}
	c, err := r.NewConsumer(ring.ConsumerConfig{Policy: policies[how%3], From: from, Wait: wait})
	if err == nil {
		for range 200 {
			rec, err := c.Read(done, nil)
			if err == nil && len(rec.Payload()) > r.MaxRecord() {
				t.Fatalf("a record of %d bytes, want at most %d", len(rec.Payload()), r.MaxRecord())
			}
			if err == nil {
				got(rec)
			}
			if err != nil && !errors.Is(err, ring.ErrOverrun) {
				named(t, err, ring.ErrCorrupt, ring.ErrProducerDied, ring.ErrEvicted, ring.ErrUnreleased, io.EOF, context.Canceled)
				break
			}
		}
		must(t, c.Close())
	} else {
		named(t, err, ring.ErrCorrupt, ring.ErrNoSlot, ring.ErrEvicted)
	}
	p, err := r.NewProducer()
	if err != nil {
		named(t, err, ring.ErrCorrupt, ring.ErrUnclean, ring.ErrRemoved)
		return
	}
	defer func() { must(t, p.Close()) }()
	for i := range 50 {
		if i%2 == 0 {
			_, err = p.TryReserve(int(how))
		} else {
			_, err = p.TryReserveBatch(int(how), 1+int(how)%5)
		}
		if err != nil {
			named(t, err, ring.ErrFull, ring.ErrBatchFull, ring.ErrTooLarge)
			break
		}
		must(t, p.Commit())
	}
}

// FuzzSlots: a consumer writes anything to the slots while a producer and an
// honest lossy consumer go on. Whatever is in them, the honest one gets all, in
// order, and the producer never waits for somebody who is not there.
func FuzzSlots(tf *testing.F) {
	f := mutate.Of(tf)
	cfg := ring.Config{Capacity: ring.MinCapacity, Slots: 3}
	n, err := ring.Size(cfg)
	must(f, err)
	mem := aligned(n)
	slots := mem[n-3*4096:]
	defer futex.Restrict(false, true)()
	for at := range 40 {
		f.Add(place(8*at, ^uint64(0)))
		f.Add(append(place(4096+8*at, uint64(at)), place(2*4096+8*at, 1<<63)...))
	}
	f.Fuzz(func(t *testing.T, edits []byte) {
		defer quickly(t)()
		clear(mem)
		r, err := ring.Format(mem, cfg)
		must(t, err)
		defer r.Close()
		p, err := r.NewProducer()
		must(t, err)
		defer p.Close()
		honest, err := r.NewConsumer(ring.ConsumerConfig{Wait: ring.Block})
		must(t, err)
		defer honest.Close()
		// Its slot is the first: on a served ring nobody else can reach that.
		others := slots[4096:]
		want := uint64(1)
		for i := 0; i < 80; i++ {
			if len(edits) >= 10 {
				edit(others, edits[:10])
				edits = edits[10:]
			}
			b, err := p.TryReserve(100)
			if err != nil {
				t.Fatalf("record %d: %v, want credit: nobody but the honest one is there", i, err)
			}
			copy(b, payload(p.Sequence()-1, 100))
			must(t, p.Commit())
			rec, err := honest.Read(done, nil)
			must(t, err)
			if rec.Sequence != want || !bytes.Equal(rec.Payload(), payload(want, 100)) {
				t.Fatalf("record %d, want %d", rec.Sequence, want)
			}
			want++
		}
		if _, err := r.Stats(); err != nil {
			t.Fatal(err)
		}
	})
}

func named(t *testing.T, err error, names ...error) {
	for _, n := range names {
		if errors.Is(err, n) {
			return
		}
	}
	t.Helper()
	t.Fatalf("an error without a name: %v", err)
}

// quickly fails if what it encloses takes long: not a second, for which a machine
// may have something else to do.
func quickly(t *testing.T) func() {
	start := time.Now()
	return func() {
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("took %v", took)
		}
	}
}

// memoryDir is a folder, in memory if there is one.
func memoryDir(f testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "carousel-fuzz-")
	if err != nil {
		return f.TempDir()
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

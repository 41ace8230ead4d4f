package fuzz

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/internal/mutate"
	"github.com/carousel-ipc/carousel/ring"
)

// FuzzResume: a producer is cut off within a call. Between the memory before
// and after it lies what it stored; of that any part may have happened, as long
// as the commit word, if it is there, is behind what it commits. The next
// producer goes on behind what was committed, and everything that is kept is
// whole.
func FuzzResume(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte{10, 20, 30}, []byte{0xff, 0}, byte(2), false)
	f.Add(bytes.Repeat([]byte{100, 200, 1}, 20), []byte{0x55}, byte(40), true)
	f.Add(bytes.Repeat([]byte{0}, 50), []byte{}, byte(20), true)
	defer futex.Restrict(false, true)()
	f.Fuzz(func(t *testing.T, sizes, part []byte, when byte, checksum bool) {
		w := newWorld(t, checksum)
		defer w.close()
		var before []byte
		var first int // staged at the moment of the cut
		cut := func() { before = bytes.Clone(w.mem); first = w.staged() }
		calls := 0
		for i, n := range sizes[:min(len(sizes), 120)] {
			if calls++; calls == int(when)+1 {
				cut()
			}
			must(t, w.do(op{kind: stage, a: int(n), b: i}))
			if calls == int(when)+1 {
				resume(t, w, before, part, first, false)
				return
			}
			if n%3 != 0 {
				continue
			}
			if calls++; calls == int(when)+1 {
				cut()
			}
			must(t, w.do(op{kind: commit}))
			if calls == int(when)+1 {
				resume(t, w, before, part, first, true)
				return
			}
		}
	})
}

// resume makes an image of the memory before and after a call and takes it
// over. What the last call committed may be there or not, as the image says.
func resume(t *testing.T, w *world, before, part []byte, staged int, commits bool) {
	after := w.mem
	start := len(after) - (1+consumers)*4096 - w.r.Capacity() // of the records
	end := start + w.r.Capacity()
	image := aligned(len(after))
	copy(image, before)
	bit := func(i int) bool { return len(part) > 0 && part[i/8%len(part)]>>(i%8)&1 != 0 }
	committed := len(w.committed)
	if commits && staged > 0 {
		// One word of a commit publishes, and it is the only store of a number
		// of a record to a place where that record begins.
		if bit(0) {
			copy(image[start:end], after[start:end])
		} else {
			committed -= staged
		}
		if bit(0) && bit(1) { // statistics and points behind it
			copy(image[:start], after[:start])
		}
	} else {
		// Of a record that is being staged: what says how far the producer may
		// go comes first, and then anything.
		changed := false
		for at := start; at < end; at += 8 {
			if !bytes.Equal(before[at:at+8], after[at:at+8]) && bit(at/8) {
				copy(image[at:at+8], after[at:at+8])
				changed = true
			}
		}
		if changed || bit(1) {
			copy(image[:start], after[:start])
		}
	}
	r, err := ring.Attach(image)
	must(t, err)
	defer r.Close()
	p, err := r.NewProducer()
	if err != nil {
		t.Fatalf("taking over: %v", err)
	}
	if got := p.Sequence(); got != uint64(committed+1) {
		t.Fatalf("goes on with record %d, want %d", got, committed+1)
	}
	c, err := r.NewConsumer(ring.ConsumerConfig{From: ring.Oldest, Wait: ring.Block})
	must(t, err)
	defer c.Close()
	m := model{committed: w.committed[:committed]}
	must(t, m.joined(0, true, ring.Oldest, c.Sequence()))
	all := func() error {
		for {
			rec, err := c.Read(done, nil)
			if err == nil {
				err = m.got(0, see(rec))
			} else if errors.Is(err, ring.ErrOverrun) {
				err = m.judge(0, err)
			}
			if err != nil {
				return err
			}
		}
	}
	if err := all(); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	_, err = p.Write(payload(uint64(committed+1), 20))
	must(t, err)
	m.stage(entry{n: 20})
	m.commit()
	must(t, p.Close())
	if err := all(); err != io.EOF {
		t.Fatal(err)
	}
	if got := m.readers[0].at; got != uint64(committed+2) {
		t.Fatalf("ends before record %d, want %d", got, committed+2)
	}
}

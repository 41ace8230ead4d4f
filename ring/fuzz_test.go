package ring

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/internal/mutate"
	"github.com/carousel-ipc/carousel/shm"
)

// The operations of one producer and three consumers, interleaved by the
// fuzzer's bytes, against a list of what was committed.
func FuzzOperations(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte("\x00\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"))
	f.Add(bytes.Repeat([]byte{0, 200, 1, 4, 5, 6}, 60))
	f.Add(bytes.Repeat([]byte{0, 255, 0, 255, 1, 8, 0, 9, 10, 11, 7, 7}, 30))
	mem := make([]byte, 1<<16)
	// A membarrier for each Close would be nearly all of the time.
	defer futex.Restrict(false, true)()
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) > 600 {
			ops = ops[:600]
		}
		clear(mem)
		r, err := Format(mem, Config{Capacity: MinCapacity, Slots: 3, Checksum: len(ops)%2 == 1})
		must(t, err)
		defer r.Close()
		runOperations(t, r, ops)
	})
}

func runOperations(t *testing.T, r *Ring, ops []byte) {
	p, err := r.NewProducer()
	must(t, err)
	defer func() { p.Close() }()
	var committed, staged [][]byte
	policies := []Policy{Reliable, Lossy, Deadline(time.Hour)}
	consumers := make([]*Consumer, 3)
	next := make([]uint64, 3)
	defer func() {
		for _, c := range consumers {
			if c != nil {
				c.Close()
			}
		}
	}()
	for i := 0; i < len(ops); i++ {
		op := ops[i]
		arg := byte(0)
		if i+1 < len(ops) {
			arg = ops[i+1]
		}
		switch k := int(op) % 3; op / 3 % 5 {
		case 0: // stage
			i++
			n := min(int(arg)*4, r.MaxRecord())
			b, err := p.TryReserve(n)
			if errors.Is(err, ErrFull) || errors.Is(err, ErrBatchFull) {
				continue
			}
			must(t, err)
			seq := uint64(len(committed) + len(staged) + 1)
			copy(b, pattern(seq, n))
			staged = append(staged, pattern(seq, n))
		case 1:
			switch k {
			case 0, 1:
				must(t, p.Commit())
				committed = append(committed, staged...)
			case 2:
				p.Abort()
			}
			staged = nil
		case 2: // join or leave
			if consumers[k] != nil {
				must(t, consumers[k].Close())
				consumers[k] = nil
				continue
			}
			i++
			from := []Start{Latest, Oldest, Sequence(uint64(arg))}[int(arg)%3]
			c, err := r.NewConsumer(ConsumerConfig{Policy: policies[(k+int(arg))%3], From: from})
			must(t, err)
			consumers[k], next[k] = c, c.Sequence()
			if from.kind == startSequence {
				next[k] = from.seq
			}
		case 3: // read
			c := consumers[k]
			if c == nil {
				continue
			}
			for range int(op)/15 + 1 {
				if !readOne(t, c, committed, &next[k]) {
					break
				}
			}
		case 4: // restart
			if k == 0 {
				die(r, p)
				must(t, p.backing.release()) // who has no process to die with gathers them
				staged = nil
				if p, err = r.NewProducer(); err != nil {
					t.Fatal(err)
				}
				if p.Sequence() != uint64(len(committed)+1) {
					t.Fatalf("successor goes on at %d, want %d", p.Sequence(), len(committed)+1)
				}
			}
		}
	}
	for k, c := range consumers {
		for c != nil && readOne(t, c, committed, &next[k]) {
		}
		if c != nil && next[k] <= uint64(len(committed)) {
			t.Fatalf("consumer %d stands at %d of %d", k, next[k], len(committed))
		}
	}
}

func readOne(t *testing.T, c *Consumer, committed [][]byte, next *uint64) bool {
	rec, err := c.TryNext()
	if err == nil {
		payload := bytes.Clone(rec.Payload())
		if err = c.Release(); err == nil {
			if rec.Sequence != *next || !bytes.Equal(payload, committed[rec.Sequence-1]) {
				t.Fatalf("%v: record %d of %d bytes, want %d", c.policy, rec.Sequence, len(payload), *next)
			}
			*next++
			return true
		}
	}
	var over *OverrunError
	switch {
	case errors.As(err, &over):
		if over.From != *next || over.Lost != over.To-over.From+1 {
			t.Fatalf("%v: %v, want from %d", c.policy, over, *next)
		}
		if c.policy.Gates() && c.pending == nil && over.To >= c.seq {
			t.Fatalf("a consumer that gates lost %v", over)
		}
		*next = over.To + 1
		return true
	case errors.Is(err, ErrEmpty):
		return false
	}
	t.Fatal(err)
	return false
}

// A segment full of anything: no handle panics, reads outside, or goes on for
// ever.
func FuzzHostileSegment(tf *testing.F) {
	f := mutate.Of(tf)
	mem := make([]byte, 1<<16)
	r, err := Format(mem, Config{Capacity: MinCapacity, Slots: 2})
	if err != nil {
		f.Fatal(err)
	}
	p, err := r.NewProducer()
	if err != nil {
		f.Fatal(err)
	}
	for i := range 60 {
		if _, err := p.Write(pattern(uint64(i+1), i*3)); err != nil {
			f.Fatal(err)
		}
	}
	die(r, p)
	r.Close()
	clean := bytes.Clone(mem)
	defer futex.Restrict(false, true)()
	f.Add([]byte{}, byte(0))
	f.Add([]byte{0, 16, 1, 2, 3, 4, 5, 6, 7, 8}, byte(1))
	f.Add([]byte{0x10, 0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, byte(2))
	for off := range uint64(40) {
		edit := binary.LittleEndian.AppendUint16(nil, uint16(offHorizon+off*8))
		f.Add(append(edit, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), byte(off))
	}
	f.Fuzz(func(t *testing.T, edits []byte, how byte) {
		defer func(start time.Time) {
			if took := time.Since(start); took > time.Second {
				t.Fatalf("took %v", took)
			}
		}(time.Now())
		copy(mem, clean)
		// Each edit is an offset in words and a word to put there.
		for ; len(edits) >= 10; edits = edits[10:] {
			off := int(binary.LittleEndian.Uint16(edits)) * 8 % len(mem)
			copy(mem[off:], edits[2:10])
		}
		r, err := Attach(mem)
		if err != nil {
			return
		}
		defer r.Close()
		if _, err := r.Stats(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(background)
		cancel()
		policy := []Policy{Reliable, Lossy, Deadline(time.Hour)}[how%3]
		from := []Start{Latest, Oldest, Sequence(uint64(how))}[how/3%3]
		if c, err := r.NewConsumer(ConsumerConfig{Policy: policy, From: from, Wait: Block}); err == nil {
			for range 200 {
				rec, err := c.Next(ctx)
				if err == nil && len(rec.Payload()) > r.MaxRecord() {
					t.Fatalf("payload of %d bytes", len(rec.Payload()))
				}
				if err == nil {
					err = c.Release()
				}
				if err != nil && !errors.Is(err, ErrOverrun) {
					break
				}
			}
			_, _ = c.Read(ctx, nil)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
		p, err := r.NewProducer()
		if err != nil {
			return
		}
		for range 50 {
			if _, err := p.TryReserve(int(how)); err != nil {
				break
			}
			if err := p.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// What a reader of frames makes of a ring's bytes is what the ring's consumer
// makes of them.
func FuzzRingIsStream(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte{1, 2, 3}, true)
	f.Add([]byte{}, false)
	cfg := Config{Capacity: 1 << 16, Slots: 1}
	size, err := Size(cfg)
	must(f, err)
	mem := shm.Heap(size).Bytes()
	defer futex.Restrict(false, true)()
	f.Fuzz(func(t *testing.T, sizes []byte, checksum bool) {
		clear(mem)
		cfg.Checksum = checksum
		r, err := Format(mem, cfg)
		must(t, err)
		defer r.Close()
		p, err := r.NewProducer()
		must(t, err)
		for i, n := range sizes[:min(len(sizes), 200)] {
			if _, err := p.WriteType(uint16(i), pattern(uint64(i+1), int(n))); err != nil {
				t.Fatal(err)
			}
		}
		must(t, p.Close())
		rd := frame.NewReader(io.MultiReader(bytes.NewReader(frame.Preamble{Version: frame.Version, Epoch: 1, First: 1}.Append(nil)), bytes.NewReader(p.ring)), r.MaxRecord())
		for i, n := range sizes[:min(len(sizes), 200)] {
			rec, err := rd.Next()
			must(t, err)
			if rec.Sequence != uint64(i+1) || rec.Type() != uint16(i) || !bytes.Equal(rec.Payload(), pattern(uint64(i+1), int(n))) {
				t.Fatalf("frame %d: %d bytes of record %d", i+1, len(rec.Payload()), rec.Sequence)
			}
		}
		if rec, err := rd.Next(); err != nil || rec.Flags()&frame.EOS == 0 {
			t.Fatal(rec, err)
		}
		if rec, err := rd.Next(); !errors.Is(err, io.EOF) {
			t.Fatal(rec, err)
		}
	})
}

// A ring full of ends of stream of an older epoch, each a lawful frame.
func TestLapWithoutARecordIsRefused(t *testing.T) {
	for _, policy := range []Policy{Reliable, Lossy, Deadline(time.Hour)} {
		r := newRing(t, Config{Capacity: MinCapacity})
		p := newProducer(t, r)
		must(t, p.Close())
		p = newProducer(t, r)
		c := newConsumer(t, r, ConsumerConfig{Policy: policy, From: Oldest})
		eos := frame.Append(nil, frame.NewRecord(1, 0, frame.EOS, make([]byte, 8)))
		for pos := 0; pos < len(p.ring); pos += len(eos) {
			copy(p.ring[pos:], eos)
		}
		_, err := c.TryNext()
		expectErr(t, err, ErrCorrupt)
	}
}

// Words that would have a lapped consumer go back, and take records for others
// that it has had.
func TestResumingBehindIsRefused(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity})
	p := newProducer(t, r)
	c := newConsumer(t, r, ConsumerConfig{Policy: Lossy})
	for i := range 10 {
		_, err := p.Write(pattern(uint64(i+1), 20))
		must(t, err)
		_, err = c.Read(background, nil)
		must(t, err)
	}
	_, err := p.Write(pattern(11, 20))
	must(t, err)
	for i := range 2 {
		p.storePoint(resumeAt(i), point{seq: 3, pos: c.pos + 160})
	}
	store64(p.word(offHorizon), c.pos+p.capacity+16)
	_, err = c.TryNext()
	expectErr(t, err, ErrCorrupt)
	_, err = c.TryNext()
	expectErr(t, err, ErrCorrupt)
}

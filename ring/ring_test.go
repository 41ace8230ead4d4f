package ring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/frame"
)

// Helpers of the package's tests.

var background = context.Background()

func newRing(t testing.TB, cfg Config) *Ring {
	t.Helper()
	r, err := Anonymous(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func newProducer(t testing.TB, r *Ring) *Producer {
	t.Helper()
	p, err := r.NewProducer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func newConsumer(t testing.TB, r *Ring, cfg ConsumerConfig) *Consumer {
	t.Helper()
	c, err := r.NewConsumer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func must(t testing.TB, err error) {
	if err != nil {
		t.Helper() // not before: fuzzing calls this more often than all else
		t.Fatal(err)
	}
}

// pattern is the payload of record seq with n bytes.
func pattern(seq uint64, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(seq*31 + uint64(i)*7 + 1)
	}
	return b
}

func publish(t testing.TB, p *Producer, n int) {
	t.Helper()
	if _, err := p.Write(pattern(p.Sequence(), n)); err != nil {
		t.Fatal(err)
	}
}

// expect takes the next record and checks it against the pattern.
func expect(t testing.TB, c *Consumer, seq uint64, n int) {
	t.Helper()
	rec, err := c.TryNext()
	if err != nil {
		t.Fatalf("record %d: %v", seq, err)
	}
	if rec.Sequence != seq || !bytes.Equal(rec.Payload(), pattern(seq, n)) {
		t.Fatalf("found record %d of %d bytes, want %d of %d", rec.Sequence, len(rec.Payload()), seq, n)
	}
	must(t, c.Release())
}

func expectErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("found error %v, want %v", err, want)
	}
}

func TestRecordsOfEverySizeCrossTheWrapWhole(t *testing.T) {
	for _, checksum := range []bool{false, true} {
		t.Run(fmt.Sprintf("checksum %v", checksum), func(t *testing.T) {
			r := newRing(t, Config{Capacity: MinCapacity, Checksum: checksum})
			p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{})
			for n := 0; n <= r.MaxRecord(); n++ {
				publish(t, p, n)
				expect(t, c, uint64(n+1), n)
			}
			_, err := p.Write(make([]byte, r.MaxRecord()+1))
			expectErr(t, err, ErrTooLarge)
			publish(t, p, 1)
			must(t, p.Close())
			expect(t, c, uint64(r.MaxRecord()+2), 1)
			_, err = c.Next(background)
			expectErr(t, err, io.EOF)
		})
	}
}

func TestLargestRecordAndItsFillerFitExactly(t *testing.T) {
	for _, checksum := range []bool{false, true} {
		cfg := Config{Capacity: MinCapacity, MaxRecord: MinCapacity/2 - frame.HeaderSize, Checksum: checksum}
		if checksum {
			cfg.MaxRecord -= 4
		}
		r := newRing(t, cfg)
		p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{})
		for i := range 40 {
			n := cfg.MaxRecord
			if i%3 == 1 {
				n = i
			}
			publish(t, p, n)
			expect(t, c, uint64(i+1), n)
		}
		_, err := Anonymous(Config{Capacity: MinCapacity, MaxRecord: cfg.MaxRecord + 1, Checksum: checksum})
		expectErr(t, err, ErrConfig)
	}
}

func TestBatchIsVisibleAllAtOnceOrNotAtAll(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{})
	for range 50 { // many laps
		first := p.Sequence()
		for i := range 10 {
			b, err := p.TryReserve(i * 11)
			must(t, err)
			copy(b, pattern(first+uint64(i), i*11))
		}
		_, err := c.TryNext()
		expectErr(t, err, ErrEmpty)
		p.Abort()
		_, err = c.TryNext()
		expectErr(t, err, ErrEmpty)
		for i := range 10 {
			b, err := p.TryReserve(i * 7)
			must(t, err)
			copy(b, pattern(first+uint64(i), i*7))
		}
		must(t, p.Commit())
		for i := range 10 {
			expect(t, c, first+uint64(i), i*7)
		}
	}
}

func TestBatchLargerThanTheRingIsRefusedAtOnce(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity})
	p := newProducer(t, r)
	var err error
	for range MinCapacity {
		if _, err = p.Reserve(background, 100); err != nil {
			break
		}
	}
	expectErr(t, err, ErrBatchFull)
	must(t, p.Commit())
	publish(t, p, 100)
}

func TestReliableConsumerGatesTheProducer(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{})
	var n uint64
	var err error
	for n = 0; ; n++ {
		var b []byte
		if b, err = p.TryReserve(84); err != nil {
			break
		}
		copy(b, pattern(n+1, 84))
		must(t, p.Commit())
	}
	expectErr(t, err, ErrFull)
	ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
	defer cancel()
	_, err = p.Reserve(ctx, 84)
	expectErr(t, err, context.DeadlineExceeded)
	for i := range n {
		expect(t, c, i+1, 84)
	}
	publish(t, p, 84)
	expect(t, c, n+1, 84)
}

func TestLossyConsumerIsToldExactlyWhatItMissed(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{Policy: Lossy})
	next, lost, received := uint64(1), uint64(0), uint64(0)
	for i := range 2000 {
		publish(t, p, i%200)
		if i%170 != 0 {
			continue
		}
		for {
			rec, err := c.TryNext()
			var over *OverrunError
			switch {
			case errors.As(err, &over):
				if over.From != next || over.Lost != over.To-over.From+1 {
					t.Fatalf("%v, expected from %d", over, next)
				}
				lost += over.Lost
				next = over.To + 1
				continue
			case err == nil:
				if rec.Sequence != next {
					t.Fatalf("record %d, want %d", rec.Sequence, next)
				}
				must(t, c.Release())
				next++
				received++
				continue
			}
			expectErr(t, err, ErrEmpty)
			break
		}
	}
	if lost == 0 || received+lost != next-1 {
		t.Fatalf("received %d, lost %d, last %d", received, lost, next-1)
	}
	if s := c.Stats(); s.Lost != lost || s.Received != received {
		t.Fatalf("stats %+v, want received %d, lost %d", s, received, lost)
	}
}

func TestLossyViewsThatWereOverwrittenAreRefusedByRelease(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{Policy: Lossy})
	for range 3 {
		publish(t, p, 10)
	}
	for range 3 {
		_, err := c.TryNext()
		must(t, err)
	}
	for range 200 {
		publish(t, p, 100)
	}
	var over *OverrunError
	if err := c.Release(); !errors.As(err, &over) || over.From != 1 || over.To < 3 {
		t.Fatalf("found %v, want an overrun from record 1", err)
	}
	rec, err := c.TryNext()
	must(t, err)
	if rec.Sequence != over.To+1 {
		t.Fatalf("went on at %d after %v", rec.Sequence, over)
	}
}

func TestDeadlineConsumerIsEvictedAndToldWhy(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{Name: "slow", Policy: Deadline(30 * time.Millisecond)})
	var waited time.Duration // for the one record that had to wait
	for range 200 {
		start := time.Now()
		publish(t, p, 100)
		waited = max(waited, time.Since(start))
	}
	t.Logf("deadline 30ms: the producer waited %v", waited)
	if waited < 30*time.Millisecond {
		t.Fatalf("evicted after %v, before its deadline", waited)
	}
	var ev *EvictedError
	var err error
	for err == nil {
		if _, err = c.TryNext(); err == nil {
			err = c.Release()
		}
	}
	if !errors.As(err, &ev) || !bytes.Contains([]byte(ev.Reason), []byte("30ms")) {
		t.Fatalf("found %v, want an eviction that names 30ms", err)
	}
	_, err = c.Next(background)
	expectErr(t, err, ErrEvicted)
	s, err := r.Stats()
	must(t, err)
	if s.Producer.Evictions != 1 || len(s.Consumers) != 1 || !s.Consumers[0].Evicted {
		t.Fatalf("%+v", s)
	}
	must(t, c.Close())
	// The slot is anybody's again, and its new owner is not confused with the old.
	c = newConsumer(t, r, ConsumerConfig{Policy: Deadline(time.Hour)})
	seq := p.Sequence()
	publish(t, p, 5)
	expect(t, c, seq, 5)
}

func TestSecondProducerIsRefusedAndToldWhoTheFirstIs(t *testing.T) {
	r := newRing(t, Config{})
	p, err := r.NewProducer(ProducerConfig{Label: "the first"})
	must(t, err)
	_, err = r.NewProducer()
	expectErr(t, err, ErrProducerLive)
	if !bytes.Contains([]byte(err.Error()), []byte(fmt.Sprintf("the first, pid %d", os.Getpid()))) {
		t.Fatalf("%v does not name the first", err)
	}
	must(t, p.Close())
	p, err = r.NewProducer()
	must(t, err)
	must(t, p.Close())
}

func TestClosedHandlesSaySo(t *testing.T) {
	r := newRing(t, Config{})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{})
	must(t, p.Close())
	must(t, c.Close())
	_, err := p.Reserve(background, 1)
	expectErr(t, err, os.ErrClosed)
	expectErr(t, p.Commit(), os.ErrClosed)
	p.Abort()
	_, err = c.Next(background)
	expectErr(t, err, os.ErrClosed)
	expectErr(t, c.Release(), os.ErrClosed)
	expectErr(t, c.Close(), os.ErrClosed)
	expectErr(t, p.Close(), os.ErrClosed)
}

func TestStartsAtLatestOldestAndSequence(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity})
	p := newProducer(t, r)
	for range 30 {
		publish(t, p, 20)
	}
	for _, tc := range []struct {
		from Start
		want uint64
	}{{Oldest, 1}, {Sequence(1), 1}, {Sequence(17), 17}, {Sequence(30), 30}, {Sequence(31), 31}, {Sequence(33), 33}, {Latest, 31}} {
		for _, policy := range []Policy{Reliable, Lossy, Deadline(time.Hour)} {
			c := newConsumer(t, r, ConsumerConfig{From: tc.from, Policy: policy})
			if c.Sequence() != tc.want {
				t.Errorf("%v %v: begins at %d, want %d", policy, tc.from, c.Sequence(), tc.want)
			}
			if tc.want <= 30 {
				expect(t, c, tc.want, 20)
			}
			must(t, c.Close())
		}
	}
	c := newConsumer(t, r, ConsumerConfig{From: Sequence(33)})
	for range 5 {
		publish(t, p, 20)
	}
	expect(t, c, 33, 20)
	if s := c.Stats(); s.Received != 1 || s.Lost != 0 {
		t.Errorf("%+v", s)
	}
	must(t, c.Close())
	for range 300 {
		publish(t, p, 20)
	}
	c = newConsumer(t, r, ConsumerConfig{From: Sequence(3)})
	_, err := c.TryNext()
	var over *OverrunError
	if !errors.As(err, &over) || over.From != 3 {
		t.Fatalf("found %v, want an overrun from 3", err)
	}
	expect(t, c, over.To+1, 20)
}

func TestTypesAreFilteredWithoutALook(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{Types: []uint16{2, 5}})
	for i := range 600 {
		_, err := p.WriteType(uint16(i%7), nil)
		must(t, err)
		if k := i % 7; k == 2 || k == 5 {
			rec, err := c.TryNext()
			must(t, err)
			if rec.Type() != uint16(k) || rec.Sequence != uint64(i+1) {
				t.Fatalf("%+v, want type %d", rec, k)
			}
			must(t, c.Release())
		}
	}
}

func TestChainsAreJoinedAndSkippedFromTheMiddle(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{Wait: Block})
	big := pattern(9, 3*MinCapacity+17)
	done := make(chan error, 1)
	go func() {
		err := p.WriteChain(background, 3, big)
		if err == nil {
			_, err = p.Write([]byte("end"))
		}
		done <- err
	}()
	rec, err := c.ReadChain(background, nil)
	must(t, err)
	if !bytes.Equal(rec.Payload(), big) || rec.Sequence != 1 || rec.Type() != 3 {
		t.Fatalf("joined %d bytes of record %d", len(rec.Payload()), rec.Sequence)
	}
	rec, err = c.ReadChain(background, nil)
	must(t, err)
	must(t, <-done)
	if string(rec.Payload()) != "end" {
		t.Fatalf("%q", rec.Payload())
	}
	middle := newConsumer(t, r, ConsumerConfig{From: Sequence(p.Sequence() - 2)})
	rec, err = middle.ReadChain(background, nil)
	must(t, err)
	if string(rec.Payload()) != "end" {
		t.Fatalf("began in the middle of a chain and read %q", rec.Payload())
	}
}

func TestIteratorAndStreams(t *testing.T) {
	for _, policy := range []Policy{Reliable, Lossy, Deadline(time.Hour)} {
		r := newRing(t, Config{Capacity: 1 << 16})
		p := newProducer(t, r)
		one := newConsumer(t, r, ConsumerConfig{Policy: policy})
		two := newConsumer(t, r, ConsumerConfig{Policy: policy})
		three := newConsumer(t, r, ConsumerConfig{Policy: policy})
		var want bytes.Buffer
		for i := range 200 {
			b := pattern(uint64(i+1), i)
			want.Write(b)
			_, err := p.Write(b)
			must(t, err)
		}
		must(t, p.Close())
		n := 0
		for rec, err := range one.Records(background) {
			must(t, err)
			if n++; rec.Sequence != uint64(n) || !bytes.Equal(rec.Payload(), pattern(uint64(n), n-1)) {
				t.Fatalf("record %d", rec.Sequence)
			}
		}
		if n != 200 {
			t.Fatalf("%d records, want 200", n)
		}
		got, err := io.ReadAll(two.Stream(background))
		must(t, err)
		if !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("stream of %d bytes, want %d", len(got), want.Len())
		}
		var out bytes.Buffer
		if _, err := three.Stream(background).WriteTo(&out); err != nil || !bytes.Equal(out.Bytes(), want.Bytes()) {
			t.Fatalf("%v, %d bytes, want %d", err, out.Len(), want.Len())
		}
	}
}

func TestRingBytesAreStreamBytes(t *testing.T) {
	for _, checksum := range []bool{false, true} {
		r := newRing(t, Config{Capacity: MinCapacity, Checksum: checksum})
		p := newProducer(t, r)
		// Dirt of a lap before must not be seen in the padding.
		for i := range p.ring {
			p.ring[i] = 0xee
		}
		store64(p.commitWord(0), 0)
		var want []byte
		flags := frame.Flags(0)
		if checksum {
			flags = frame.CRC
		}
		for i := range 40 {
			_, err := p.WriteType(uint16(i), pattern(uint64(i+1), i))
			must(t, err)
			want = frame.Append(want, frame.NewRecord(uint64(i+1), uint16(i), flags, pattern(uint64(i+1), i)))
		}
		if !bytes.Equal(p.ring[:len(want)], want) {
			t.Fatalf("checksum %v: ring bytes differ from stream bytes", checksum)
		}
	}
}

// Memory that a ring had before, whose handles were never closed, is free for
// a ring of another shape.
func TestMemoryIsFormattedAnew(t *testing.T) {
	mem := make([]byte, 1<<20)
	r, err := Format(mem, Config{Capacity: MinCapacity, Slots: 1})
	must(t, err)
	_, err = r.NewConsumer(ConsumerConfig{})
	must(t, err)
	_, err = r.NewProducer()
	must(t, err)
	clear(mem)
	r, err = Format(mem, Config{Capacity: MinCapacity, Slots: 3})
	must(t, err)
	for range 3 {
		newConsumer(t, r, ConsumerConfig{})
	}
	newProducer(t, r)
	must(t, r.Close())
}

// A flag that this build does not know and may ignore changes nothing; one
// that it must understand is refused by name.
func TestFlagsOfRingsYetToCome(t *testing.T) {
	for _, policy := range []Policy{Reliable, Lossy, Deadline(time.Hour)} {
		r := newRing(t, Config{Capacity: MinCapacity})
		p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{Policy: policy})
		at := p.pos
		publish(t, p, 20)
		publish(t, p, 21)
		flag := func(f frame.Flags) { store64(p.metaWord(at), uint64(frame.MakeMeta(20, 0, f))) }
		flag(0x0020)
		expect(t, c, 1, 20)
		expect(t, c, 2, 21)
		late := newConsumer(t, r, ConsumerConfig{Policy: policy, From: Oldest})
		flag(0x0100)
		_, err := late.TryNext()
		expectErr(t, err, frame.ErrUnknownFlag)
		must(t, p.Close())
	}
}

func TestEndOfStreamIsCheckedToo(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity, Checksum: true})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{})
	must(t, p.Close())
	p.ring[frame.HeaderSize] ^= 1 // its epoch
	_, err := c.TryNext()
	expectErr(t, err, ErrCorrupt)
	expectErr(t, err, frame.ErrChecksum)
}

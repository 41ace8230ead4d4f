//go:build explore

package ring

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
)

// killedAt runs f up to its k-th store to shared memory and tells whether it
// came that far.
func killedAt(k int, f func()) (died bool) {
	defer func() {
		step = nil
		switch e := recover().(type) {
		case nil:
		case killed:
			died = true
		default:
			panic(e)
		}
	}()
	dying(k, func() { panic(killed{}) })
	f()
	return false
}

// A producer dies at every store of a script of batches, fillers, aborts,
// restarts and Close. Its successor must find exactly what was committed: all
// that was acknowledged, at most the batch in flight besides, and nothing torn.
func TestProducerKilledAtEveryStoreLosesNothing(t *testing.T) {
	for _, checksum := range []bool{false, true} {
		for warm := range 8 { // so that fillers and checkpoints fall differently
			for k := 1; ; k++ {
				if !killOnce(t, checksum, warm*7, k) {
					if k < 100 {
						t.Fatalf("only %d stores in the script", k)
					}
					break
				}
			}
		}
	}
}

func killOnce(t *testing.T, checksum bool, warm, k int) (died bool) {
	r := newRing(t, Config{Capacity: MinCapacity, Checksum: checksum})
	reader := newConsumer(t, r, ConsumerConfig{})
	size := func(seq uint64) int { return int(seq*37) % 300 }
	// Payloads that look like commit words to whoever walks into them.
	pattern := func(seq uint64, n int) []byte {
		b := make([]byte, n+8)
		for i := 0; i < n; i += 8 {
			binary.LittleEndian.PutUint64(b[i:], seq+14+uint64(i/16)%19)
		}
		return b[:n]
	}
	acked, flight := uint64(0), uint64(0)
	var p *Producer
	read := uint64(0)
	drain := func(what string) {
		t.Helper()
		for {
			rec, err := reader.TryNext()
			if errors.Is(err, ErrEmpty) || errors.Is(err, ErrProducerDied) {
				return
			}
			if errors.Is(err, io.EOF) {
				return
			}
			must(t, err)
			if read++; rec.Sequence != read || !bytes.Equal(rec.Payload(), pattern(read, size(read))) {
				t.Fatalf("k %d, %s: record %d of %d bytes, want %d", k, what, rec.Sequence, len(rec.Payload()), read)
			}
			must(t, reader.Release())
		}
	}
	batch := func(n int) {
		for range n {
			seq := p.Sequence()
			b, err := p.TryReserve(size(seq))
			must(t, err)
			copyIn(b, pattern(seq, len(b)))
		}
		flight = p.Sequence() - 1
		must(t, p.Commit())
		acked = flight
	}
	var err error
	p, err = r.NewProducer()
	must(t, err)
	for range warm {
		batch(1)
		drain("warm")
	}
	died = killedAt(k, func() {
		for i := range 12 {
			batch(1 + i%3)
			if i%4 == 2 {
				if _, err := p.TryReserve(500); err == nil {
					p.Abort()
				}
			}
			if i == 7 {
				must(t, p.Close())
				p, err = r.NewProducer()
				must(t, err)
				must(t, reader.WaitProducer(background))
			}
			hold := step
			step = nil
			drain("in flight")
			step = hold
		}
		must(t, p.Close())
	})
	if !died {
		return false
	}
	die(r, p)
	p.section.init() // its call in flight is gone with it
	p, err = r.NewProducer()
	if err != nil {
		t.Fatalf("k %d: taking over: %v", k, err)
	}
	committed := p.Sequence() - 1
	if committed != acked && committed != flight {
		t.Fatalf("k %d: successor goes on after %d, acknowledged were %d, in flight up to %d", k, committed, acked, flight)
	}
	if reader.ended {
		must(t, reader.WaitProducer(background))
	}
	drain("after the death")
	_ = reader.WaitProducer(background)
	drain("after the end")
	if read != committed {
		t.Fatalf("k %d: reader got %d of %d", k, read, committed)
	}
	batch(5)
	drain("successor")
	if read != committed+5 {
		t.Fatalf("k %d: reader got %d, want %d", k, read, committed+5)
	}
	must(t, p.Close())
	return true
}

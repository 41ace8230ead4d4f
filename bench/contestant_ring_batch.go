package main

import (
	"encoding/binary"

	"github.com/carousel-ipc/carousel/bench/internal/side"
	"github.com/carousel-ipc/carousel/ring"
)

// pull is how many messages a consumer views at most by one call: of 64 bytes, as
// many as a first cache keeps between the look at their headers and that at
// their payloads.
const pull = 256

// ringBatches fills a batch of messages by one call, and views by one call as
// many as are there, up to pull.
type ringBatches struct{ ringEnd }

func together(e ringEnd) side.End { return ringBatches{e} }

func (e ringBatches) Send(from, to uint64) error {
	for n := from; n < to; {
		for stop := min(n+e.batch, to); n < stop; {
			b, err := e.out.ReserveBatch(forever, e.size, int(stop-n))
			if err != nil {
				return err
			}
			fillBatch(&b, n, e.size)
			n += uint64(b.Len())
		}
		if err := e.out.Commit(); err != nil {
			return err
		}
	}
	return nil
}

func (e ringBatches) Receive(from, to uint64) (uint64, error) {
	for n := from; n < to; {
		b, err := e.in.NextBatch(forever, int(min(pull, to-n)))
		if err != nil {
			return side.Received(n, err)
		}
		if good := holdsBatch(&b, n, e.size); good < b.Len() {
			return n, side.ErrWrong(n + uint64(good))
		}
		n += uint64(b.Len())
		if err := e.in.Release(); err != nil {
			return n, err
		}
	}
	return to, nil
}

// fillBatch makes the batch the messages from n on. Where a size counts it is
// known when this and holdsBatch are compiled, as in C.
func fillBatch(b *ring.Batch, n uint64, size int) {
	switch size {
	case 8:
		for i := range b.Len() {
			binary.LittleEndian.PutUint64(b.Payload(i), n+uint64(i))
		}
	case 64:
		for i := range b.Len() {
			side.Fill64((*[64]byte)(b.Payload(i)), n+uint64(i))
		}
	default:
		for i := range b.Len() {
			side.Fill(b.Payload(i), n+uint64(i))
		}
	}
}

// holdsBatch returns how many messages of the batch hold what they ought to,
// up to the first that does not.
func holdsBatch(b *ring.Batch, n uint64, size int) int {
	if len(b.Payload(0)) != size {
		return 0
	}
	for i := range b.Len() {
		good := false
		switch size {
		case 8:
			good = binary.LittleEndian.Uint64(b.Payload(i)) == n+uint64(i)
		case 64:
			good = side.Holds64((*[64]byte)(b.Payload(i)), n+uint64(i))
		default:
			good = side.Holds(b.Payload(i), n+uint64(i), size)
		}
		if !good {
			return i
		}
	}
	return b.Len()
}

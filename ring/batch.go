package ring

import (
	"context"
	"fmt"

	"github.com/carousel-ipc/carousel/frame"
)

// A Batch is records of one size and type that lie one behind the other, staged
// or viewed by one call.
type Batch struct {
	first        uint64     // sequence
	meta         frame.Meta // of each
	bytes        []byte     // from the first payload on, to the end of the last or of its frame
	size, stride int
	count        int
}

// Len is the number of records, at least one.
func (b *Batch) Len() int { return b.count }

// Payload is that of record i, counted from 0, in place.
func (b *Batch) Payload(i int) []byte {
	at := i * b.stride
	return b.bytes[at : at+b.size : at+b.size]
}

// Record is record i, counted from 0: its sequence and header, and its payload
// in place.
func (b *Batch) Record(i int) Record {
	return frame.View(b.first+uint64(i), b.meta, b.Payload(i))
}

// ReserveBatch is Reserve for several records of n bytes in one call: for count
// of them, or as many as there is room for at hand, but one at least. In a ring
// with checksums or a rendezvous it is for one.
//
// Errors: those of Reserve; ErrConfig for a count below 1.
func (p *Producer) ReserveBatch(ctx context.Context, n, count int) (Batch, error) {
	return p.reserveBatch(n, count, func() ([]byte, error) { return p.ReserveRecord(ctx, Header{}, n) })
}

// TryReserveBatch is ReserveBatch that never waits: ErrFull when there is no
// credit for one record.
func (p *Producer) TryReserveBatch(n, count int) (Batch, error) {
	return p.reserveBatch(n, count, func() ([]byte, error) { return p.TryReserveRecord(Header{}, n) })
}

// reserveBatch stages one record by one unless several are plain.
func (p *Producer) reserveBatch(n, count int, one func() ([]byte, error)) (Batch, error) {
	if count < 1 {
		return Batch{}, wrongCount(count)
	}
	if p.section.unguarded() {
		return again(&p.section, func() (Batch, error) { return p.reserveBatch(n, count, one) })
	}
	size, stride := uint64(uint(n)), frameSize(n)
	if size-1 < uint64(p.maxPayload) && p.end+stride <= p.plain && p.enter() {
		b := p.claimBatch(size, stride, fit(count, stride, p.plain-p.end))
		p.leave()
		return b, nil
	}
	seq := p.seq
	payload, err := one()
	if err != nil {
		return Batch{}, err
	}
	return Batch{seq, frame.MakeMeta(n, 0, p.flags()), payload, n, 0, 1}, nil
}

// claimBatch is claim for count records of type 0, all of which end below
// p.plain.
func (p *Producer) claimBatch(size, stride, count uint64) Batch {
	frames, off, first := p.frames, p.end&p.mask, p.seq
	b := Batch{first, frame.Meta(size), frames.view(off+frame.HeaderSize, count*stride-frame.HeaderSize), int(size), int(stride), int(count)}
	for seq := first; seq != first+count; seq++ {
		if size%frame.Align != 0 {
			tail := frames.header(off + stride - frame.Align)
			plain64(&tail[0], 0)
			plain64(&tail[1], 0)
		}
		h := frames.header(off)
		plain64(&h[1], size)
		if seq != p.first { // as in stage
			plain64(&h[0], seq)
		}
		off += stride
	}
	p.seq, p.end = first+count, p.end+count*stride
	p.bytes += count * size
	return b
}

// frameSize is how far behind a record of n bytes without a checksum the next
// one begins.
func frameSize(n int) uint64 {
	return (uint64(uint(n)) + frame.HeaderSize + frame.Align - 1) &^ (frame.Align - 1)
}

// fit is how many of count frames of stride bytes there is room for.
func fit(count int, stride, room uint64) uint64 {
	n := min(uint64(count), room)
	if n*stride > room { // of 31 bits, so this is no more than 62
		n = room / stride
	}
	return n
}

// NextBatch is Next for several records in one call: it waits for one, until
// ctx ends, and takes with it up to count-1 more that are there, like it in size
// and type and behind it. A Release gives all back. In a ring with checksums, and
// for a consumer of chosen types, it is for one.
//
// Errors: those of Next; ErrConfig for a count below 1.
func (c *Consumer) NextBatch(ctx context.Context, count int) (Batch, error) {
	if count < 1 {
		return Batch{}, wrongCount(count)
	}
	if c.section.unguarded() {
		return again(&c.section, func() (Batch, error) { return c.NextBatch(ctx, count) })
	}
	rec, err := c.Next(ctx)
	if err != nil {
		return Batch{}, err
	}
	b := Batch{rec.Sequence, rec.Meta, rec.Payload(), rec.Len(), rec.Meta.Size(), 1}
	if count > 1 && rec.Meta&odd == 0 && c.enter() {
		if more := c.takeMore(rec.Meta, uint64(b.stride), count-1); more > 0 {
			first := c.pos - (more+1)*uint64(b.stride)
			b.bytes = c.frames.view(first&c.mask+frame.HeaderSize, more*uint64(b.stride)+uint64(b.size))
			b.count += int(more)
		}
		c.leave()
	}
	return b, nil
}

// TryNextBatch is NextBatch that never waits: ErrEmpty when there is no record now.
func (c *Consumer) TryNextBatch(count int) (Batch, error) { return c.NextBatch(never, count) }

// takeMore takes records with the header m behind one that was taken just now,
// atMost of them, as long as they are there and lie in one piece.
func (c *Consumer) takeMore(m frame.Meta, stride uint64, atMost int) uint64 {
	start := c.pos & c.mask
	if start == 0 || c.checksum || c.selective {
		return 0
	}
	frames, off, seq := c.frames, start, c.seq
	for last := seq + fit(atMost, stride, c.capacity-start); seq != last; seq++ {
		h := frames.header(off)
		if load64(&h[0]) != seq || frame.Meta(load64(&h[1])) != m {
			break
		}
		off += stride
	}
	count := seq - c.seq
	if c.policy.kind == kindLossy {
		// As in next: these headers were whole.
		if fenceLoad(); c.passed(c.pos) {
			return 0
		}
	}
	c.pos, c.seq, c.viewed = c.pos+off-start, seq, c.viewed+int(count)
	return count
}

func wrongCount(count int) error {
	return fmt.Errorf("%w: a batch of %d records, want at least 1", ErrConfig, count)
}

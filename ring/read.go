package ring

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/carousel-ipc/carousel/frame"
)

// Read copies the next record into dst[:0], growing it when it is too small,
// and gives it back at once, with what was viewed before: what it returns is
// whole, whatever the policy. Errors are those of Next; a wrong checksum is an
// ErrCorrupt after which the next call goes on.
func (c *Consumer) Read(ctx context.Context, dst []byte) (Record, error) {
	if !c.enter() {
		return c.readAgain(ctx, dst)
	}
	off, m := c.take()
	if off == 0 {
		m, dst, err := c.read(ctx, m, dst)
		seq := c.seq - 1
		c.leave()
		if err != nil {
			return Record{}, err
		}
		return frame.View(seq, m, dst), nil
	}
	// It is reliable and has no checksum: there is no more to it.
	n := uint64(m.Len())
	if uint64(cap(dst)) < n {
		dst = slices.Grow(dst[:0], int(n))
	}
	dst = dst[:n]
	copyOut(dst, c.payload(off, m))
	c.viewed = 0 // and what store does, in line
	c.account()
	c.move(c.pos)
	rec := frame.View(c.seq-1, m, dst)
	c.leave()
	return rec, nil
}

//go:noinline
func (c *Consumer) readAgain(ctx context.Context, dst []byte) (Record, error) {
	return again(&c.section, func() (Record, error) { return c.Read(ctx, dst) })
}

// read is Read of a record that take has not taken; m is its header if it is
// there.
func (c *Consumer) read(ctx context.Context, m frame.Meta, dst []byte) (frame.Meta, []byte, error) {
	off, m, err := c.next(ctx, m, false)
	if err != nil {
		return 0, nil, err
	}
	n, seq := m.Len(), c.seq-1
	dst = slices.Grow(dst[:0], n)[:n]
	copyOut(dst, c.payload(off, m))
	var crc [4]byte
	if m.Flags()&frame.CRC != 0 {
		tail := off - frame.HeaderSize + uint64(frame.CRCOffset(n))
		copyOut(crc[:], c.ring[tail:tail+4])
	}
	if err := c.release(); err != nil {
		return 0, nil, err
	}
	if m.Flags()&frame.CRC != 0 {
		if want, found := frame.Checksum(seq, m, dst), binary.LittleEndian.Uint32(crc[:]); want != found {
			return 0, nil, corruptRecord(seq, &frame.ChecksumError{Sequence: seq, Want: want, Found: found})
		}
	}
	return m, dst, nil
}

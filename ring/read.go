package ring

import (
	"context"
	"encoding/binary"
	"os"
	"slices"

	"github.com/carousel-ipc/carousel/frame"
)

// Read copies the next record into dst[:0], growing it when it is too small,
// and gives it back at once: what it returns is whole, whatever the policy.
func (c *Consumer) Read(ctx context.Context, dst []byte) (Record, error) {
	if !c.enter() {
		return Record{}, os.ErrClosed
	}
	rec, err := c.read(ctx, dst)
	c.leave()
	return rec, err
}

func (c *Consumer) read(ctx context.Context, dst []byte) (Record, error) {
	rec, err := c.next(ctx, false)
	if err != nil {
		return Record{}, err
	}
	n := len(rec.Payload)
	dst = slices.Grow(dst[:0], n)[:n]
	copyOut(dst, rec.Payload)
	var crc [4]byte
	if rec.Flags&frame.CRC != 0 {
		tail := (c.pos - uint64(frame.Size(n, frame.CRC))) & c.mask
		tail += uint64(frame.CRCOffset(n))
		copyOut(crc[:], c.ring[tail:tail+4])
	}
	rec.Payload = dst
	if err := c.release(); err != nil {
		return Record{}, err
	}
	if rec.Flags&frame.CRC != 0 {
		if want, found := frame.Checksum(rec.Sequence, rec.Meta(), dst), binary.LittleEndian.Uint32(crc[:]); want != found {
			return Record{}, corruptRecord(rec.Sequence, &frame.ChecksumError{Sequence: rec.Sequence, Want: want, Found: found})
		}
	}
	return rec, nil
}

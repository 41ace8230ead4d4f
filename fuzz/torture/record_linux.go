package main

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/carousel-ipc/carousel/ring"
)

// A record's payload follows from its sequence alone, length and all.

func sizeOf(seq uint64) int { return int(seq * 2654435761 >> 7 % 600) }

func fill(b []byte, seq uint64) {
	word := seq*0x9e3779b97f4a7c15 + 1
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, word)
		word = word<<7 ^ word>>9 + seq
	}
	for i := range b {
		b[i] = byte(word >> (8 * i))
	}
}

// checker tells whether records are what fill made.
type checker struct{ want []byte }

func (c *checker) check(rec ring.Record) error {
	n := sizeOf(rec.Sequence)
	if cap(c.want) < n {
		c.want = make([]byte, 1024)
	}
	c.want = c.want[:n]
	fill(c.want, rec.Sequence)
	if got := rec.Payload(); !bytes.Equal(got, c.want) {
		at := 0
		for at < min(len(got), n) && got[at] == c.want[at] {
			at++
		}
		return fmt.Errorf("record %d is torn: %d bytes that differ from byte %d on, want %d", rec.Sequence, len(got), at, n)
	}
	return nil
}

// publish stages so many records and commits them.
func publish(p *ring.Producer, n int) error {
	for range n {
		seq := p.Sequence()
		b, err := p.Reserve(background, sizeOf(seq))
		if err != nil {
			return err
		}
		fill(b, seq)
	}
	return p.Commit()
}

//go:build linux && !carousel_portable

package hostile

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// A record tells which one it is, and whether a byte of it is another one's:
//
//	sequence 8 | time 8 | tag 8 | bytes that follow from the sequence | CRC32C 4
const recordLeast = 28

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func recordSize(seq uint64) int { return recordLeast + int(seq*2654435761>>7%600) }

func fillRecord(b []byte, seq uint64, now int64, tag uint64) {
	binary.LittleEndian.PutUint64(b, seq)
	binary.LittleEndian.PutUint64(b[8:], uint64(now))
	binary.LittleEndian.PutUint64(b[16:], tag)
	body := b[24 : len(b)-4]
	for i := range body {
		body[i] = byte(seq) + byte(i)
	}
	binary.LittleEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], castagnoli))
}

func checkRecord(b []byte, seq uint64) (sent int64, tag uint64, err error) {
	if len(b) != recordSize(seq) {
		return 0, 0, fmt.Errorf("record %d of %d bytes, want %d", seq, len(b), recordSize(seq))
	}
	if sum := crc32.Checksum(b[:len(b)-4], castagnoli); sum != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return 0, 0, fmt.Errorf("record %d: checksum %08x, want %08x", seq, binary.LittleEndian.Uint32(b[len(b)-4:]), sum)
	}
	if n := binary.LittleEndian.Uint64(b); n != seq {
		return 0, 0, fmt.Errorf("record %d says that it is %d", seq, n)
	}
	return int64(binary.LittleEndian.Uint64(b[8:])), binary.LittleEndian.Uint64(b[16:]), nil
}

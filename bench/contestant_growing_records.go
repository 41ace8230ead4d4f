package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// growingRecords is a growing file whose messages carry what a log's need to be
// found again and believed after a crash: a length and a CRC32C.
func growingRecords() contestant {
	return plainGo("growing file, CRC32C", "os.File, one Write for each message with its length and CRC32C in front, both of which are checked", layGrowing, joinGrowingRecords)
}

func joinGrowingRecords(j side.Job) (side.End, error) {
	g, err := openGrowing(j)
	if err != nil {
		return nil, err
	}
	return recordEnd{g, bufio.NewReaderSize(g, 64<<10), make([]byte, recordHeader+j.Size)}, nil
}

// Length and checksum, 4 bytes each.
const recordHeader = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type recordEnd struct {
	out io.WriteCloser
	in  io.Reader
	buf []byte
}

func (e recordEnd) Send(from, to uint64) error {
	payload := e.buf[recordHeader:]
	for n := from; n < to; n++ {
		side.Fill(payload, n)
		binary.LittleEndian.PutUint32(e.buf, uint32(len(payload)))
		binary.LittleEndian.PutUint32(e.buf[4:], crc32.Checksum(payload, castagnoli))
		if _, err := e.out.Write(e.buf); err != nil {
			return err
		}
	}
	return nil
}

func (e recordEnd) Receive(from, to uint64) (uint64, error) {
	head, payload := e.buf[:recordHeader], e.buf[recordHeader:]
	for n := from; n < to; n++ {
		if _, err := io.ReadFull(e.in, head); err != nil {
			return n, err // io.EOF between two messages only
		}
		if found := binary.LittleEndian.Uint32(head); found != uint32(len(payload)) {
			return n, fmt.Errorf("message %d: wanted %d bytes, found %d", n, len(payload), found)
		}
		if _, err := io.ReadFull(e.in, payload); err != nil {
			return n, err
		}
		if sum := crc32.Checksum(payload, castagnoli); sum != binary.LittleEndian.Uint32(head[4:]) || !side.Holds(payload, n, len(payload)) {
			return n, side.ErrWrong(n)
		}
	}
	return to, nil
}

func (e recordEnd) Close() error { return e.out.Close() }

package seglog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/carousel-ipc/carousel/frame"
)

// A mark says when, and where in its segment, a record was appended:
//
//	| sequence u64 | offset u64 | nanoseconds since 1970, i64 | CRC32C u32 | 0 u32 |
//
// Marks are written at intervals, without being synced, and believed only if
// the frame is where they say.
type mark struct {
	seq    uint64
	offset int64
	time   int64
}

const markSize = 32

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (m mark) append(b []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint64(b, m.seq)
	b = binary.LittleEndian.AppendUint64(b, uint64(m.offset))
	b = binary.LittleEndian.AppendUint64(b, uint64(m.time))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
	return append(b, 0, 0, 0, 0)
}

func decodeMark(b []byte) (m mark, ok bool) {
	m = mark{
		seq:    binary.LittleEndian.Uint64(b),
		offset: int64(binary.LittleEndian.Uint64(b[8:])),
		time:   int64(binary.LittleEndian.Uint64(b[16:])),
	}
	return m, binary.LittleEndian.Uint32(b[24:]) == crc32.Checksum(b[:24], castagnoli) &&
		m.offset >= frame.PreambleSize && m.offset%frame.Align == 0
}

// maxMarks bounds what is read of an index, in bytes.
const maxMarks = 64 << 20

// marks reads those of a segment, in order. No index is as good as an empty
// one.
func marks(d disk, g segment) ([]mark, error) {
	f, err := d.open(g.index(), false)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, min(size, maxMarks)/markSize*markSize)
	n, err := f.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	var list []mark
	for b = b[:n/markSize*markSize]; len(b) > 0; b = b[markSize:] {
		m, ok := decodeMark(b)
		if !ok || m.seq < g.first || len(list) > 0 && (m.seq <= list[len(list)-1].seq || m.offset <= list[len(list)-1].offset) {
			continue
		}
		list = append(list, m)
	}
	return list, nil
}

// seek puts s at the last mark of g that suits, or at the first record, and
// returns the sequence there. s has f as its file.
func seek(d disk, g segment, f file, s *scanner, suits func(mark) bool) (uint64, error) {
	list, err := marks(d, g)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", g.index(), err)
	}
	for i := len(list) - 1; i >= 0; i-- {
		if !suits(list[i]) {
			continue
		}
		s.at(f, list[i].offset)
		rec, err := s.next()
		s.release()
		if err == nil && rec.Sequence == list[i].seq && rec.Counts() {
			s.at(f, list[i].offset)
			return list[i].seq, nil
		}
	}
	s.at(f, frame.PreambleSize)
	return g.first, nil
}

func anyMark(mark) bool { return true }

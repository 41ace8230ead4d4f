package transport

import (
	"encoding/binary"
	"fmt"

	"github.com/carousel-ipc/carousel/frame"
)

// A notice is what a server tells one consumer besides records: the payload of
// a filler, which whoever reads nothing but records steps over.
//
//	code u32 | length of the text u32 | position u64 | text | zeros
const (
	noticeHeader  = 16
	noticeEvicted = 1
	mostNotice    = 1 << 10 // bytes of text
)

// evictionNotice is the frame that tells a consumer that expects record next
// of its eviction.
func evictionNotice(next uint64, e *EvictedError) []byte {
	text := e.Reason[:min(len(e.Reason), mostNotice)]
	size := (noticeHeader + len(text) + frame.Align - 1) &^ (frame.Align - 1)
	b := make([]byte, 0, size)
	b = binary.LittleEndian.AppendUint32(b, noticeEvicted)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	b = binary.LittleEndian.AppendUint64(b, e.At)
	b = append(b, text...)[:size]
	return frame.Append(nil, frame.NewRecord(next, 0, frame.Pad, b))
}

// readNotice is the error that a filler stands for, nil if it is none that this
// build knows.
func readNotice(b []byte) error {
	if len(b) < noticeHeader || binary.LittleEndian.Uint32(b) != noticeEvicted {
		return nil
	}
	n, text := binary.LittleEndian.Uint32(b[4:]), b[noticeHeader:]
	if uint64(n) > uint64(len(text)) {
		return fmt.Errorf("%w: notice with a text of %d bytes, found %d", ErrCorrupt, n, len(text))
	}
	return &EvictedError{Reason: string(text[:n]), At: binary.LittleEndian.Uint64(b[8:])}
}

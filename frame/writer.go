package frame

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Writer writes a stream of frames: the preamble, then records. It buffers;
// call [Writer.Flush]. One goroutine at a time may use it.
type Writer struct {
	w       *bufio.Writer
	scratch [PreambleSize]byte // header or tail; a local array would escape
	opened  bool
	p       Preamble
}

// streamBuffer is the size of the buffers of Writer and Reader.
const streamBuffer = 64 << 10

// NewWriter returns a Writer that opens the stream with p. Nothing is written
// before the first Write or Flush.
func NewWriter(w io.Writer, p Preamble) *Writer {
	return &Writer{w: bufio.NewWriterSize(w, streamBuffer), p: p}
}

// Write writes one record. A record that a [Reader] would refuse is refused
// here, with the errors [Meta.Check] gives or [ErrUncommitted], and leaves the
// stream as it was. After an error of the underlying writer all calls fail
// with it. The payload is not kept.
func (w *Writer) Write(r Record) error {
	m := r.Meta
	if err := checkHeader(r.Sequence, m, MaxPayload); err != nil {
		return fmt.Errorf("frame: writing sequence %d: %w", r.Sequence, err)
	}
	if err := w.open(); err != nil {
		return err
	}
	if _, err := w.w.Write(appendHeader(w.scratch[:0], r.Sequence, m)); err != nil {
		return fmt.Errorf("frame: writing sequence %d: %w", r.Sequence, err)
	}
	if _, err := w.w.Write(r.Payload()); err != nil {
		return fmt.Errorf("frame: writing sequence %d: %w", r.Sequence, err)
	}
	clear(w.scratch[:])
	end := HeaderSize + m.Len()
	if m.Flags()&CRC != 0 {
		off := CRCOffset(m.Len()) - end
		binary.LittleEndian.PutUint32(w.scratch[off:], Checksum(r.Sequence, m, r.Payload()))
	}
	if _, err := w.w.Write(w.scratch[:m.Size()-end]); err != nil {
		return fmt.Errorf("frame: writing sequence %d: %w", r.Sequence, err)
	}
	return nil
}

// Flush hands everything written so far to the underlying writer. The stream
// then has at least its preamble.
func (w *Writer) Flush() error {
	if err := w.open(); err != nil {
		return err
	}
	if err := w.w.Flush(); err != nil {
		return fmt.Errorf("frame: flushing: %w", err)
	}
	return nil
}

func (w *Writer) open() error {
	if w.opened {
		return nil
	}
	if _, err := w.w.Write(w.p.Append(w.scratch[:0])); err != nil {
		return fmt.Errorf("frame: writing the preamble: %w", err)
	}
	w.opened = true
	return nil
}

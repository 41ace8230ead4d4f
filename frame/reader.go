package frame

import (
	"errors"
	"fmt"
	"io"
)

// Reader reads a stream of frames. One goroutine at a time may use it.
//
// It reads ahead of the record it returns, but never waits for more than that
// record needs. Its memory grows only as bytes arrive, to at most twice as
// much as the frame that is being read has brought so far, so a length that
// lies costs its sender the bytes.
type Reader struct {
	r          io.Reader
	maxPayload int
	buf        []byte
	start, end int   // buf[start:end] has been read and not yet returned
	offset     int64 // of buf[start] in the stream
	preamble   Preamble
	opened     bool // the preamble has been read
	ended      bool // an EOS frame has been returned
}

// maxEmptyReads is how often in a row the source may return nothing at all.
const maxEmptyReads = 100

// NewReader returns a Reader that refuses payloads longer than maxPayload.
func NewReader(r io.Reader, maxPayload int) *Reader {
	return &Reader{r: r, maxPayload: maxPayload}
}

// Preamble returns the preamble, which it reads if that was not done yet. For
// the errors see [DecodePreamble]. A stream that ends in its preamble, or is
// empty, wraps [io.ErrUnexpectedEOF].
func (r *Reader) Preamble() (Preamble, error) {
	if r.opened {
		return r.preamble, nil
	}
	if err := r.fill(PreambleSize); err != nil {
		// What has come may already tell that this is something else.
		if _, perr := DecodePreamble(r.buf[r.start:r.end]); errors.Is(perr, ErrMagic) {
			return Preamble{}, perr
		}
		return Preamble{}, r.failed("preamble", PreambleSize, err)
	}
	p, err := DecodePreamble(r.buf[r.start:])
	if err != nil {
		return Preamble{}, err
	}
	r.advance(PreambleSize)
	r.preamble, r.opened = p, true
	return p, nil
}

// Next returns the next frame: records, and also fillers and the end of the
// stream ([Pad], [EOS]; see [Record.Counts]). The payload is valid until the
// next call. Sequences are returned as found.
//
// After an EOS, and where the source ends between two frames, the error is
// [io.EOF] itself; who must know which of the two it was looks for the EOS.
// A source that ends inside a frame gives an error that wraps
// [io.ErrUnexpectedEOF], one that fails an error that wraps its own; other
// errors are those of [Preamble] and [Decode].
//
// No error loses bytes: after those of the source (the end of a file that is
// still growing, a deadline) Next may be called again. The others come again.
func (r *Reader) Next() (Record, error) {
	if _, err := r.Preamble(); err != nil {
		return Record{}, err
	}
	if r.ended {
		return Record{}, io.EOF
	}
	if err := r.fill(HeaderSize); err != nil {
		if err == io.EOF && r.end == r.start {
			return Record{}, io.EOF
		}
		return Record{}, r.failed("header", HeaderSize, err)
	}
	seq, m := header(r.buf[r.start:])
	if err := checkHeader(seq, m, r.maxPayload); err != nil {
		return Record{}, r.at(err)
	}
	if err := r.fill(m.Size()); err != nil {
		return Record{}, r.failed(fmt.Sprintf("frame of sequence %d", seq), m.Size(), err)
	}
	rec, n, err := Decode(r.buf[r.start:r.end], r.maxPayload)
	if err != nil {
		return Record{}, r.at(err)
	}
	r.advance(n)
	r.ended = rec.Flags()&EOS != 0
	return rec, nil
}

// Offset returns the position in the stream, counted in bytes from the start
// of the preamble, behind the last frame returned.
func (r *Reader) Offset() int64 { return r.offset }

func (r *Reader) advance(n int) {
	r.start += n
	r.offset += int64(n)
}

// fill reads until n bytes are there. It returns errors of the source as they
// are.
func (r *Reader) fill(n int) error {
	if r.end-r.start >= n {
		return nil
	}
	if r.start > 0 {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	for empty := 0; r.end < n; {
		if r.end == len(r.buf) {
			buf := make([]byte, max(streamBuffer, min(2*len(r.buf), n)))
			copy(buf, r.buf)
			r.buf = buf
		}
		got, err := r.r.Read(r.buf[r.end:])
		if got < 0 || got > len(r.buf)-r.end {
			return fmt.Errorf("frame: reader broke its contract: wanted a count of 0 to %d, found %d", len(r.buf)-r.end, got)
		}
		r.end += got
		if err != nil && r.end < n {
			return err
		}
		if got > 0 {
			empty = 0
		} else if empty++; empty >= maxEmptyReads {
			return io.ErrNoProgress
		}
	}
	return nil
}

// failed describes an error of the source at the frame or preamble that
// wanted more bytes than have come.
func (r *Reader) failed(what string, want int, err error) error {
	if err == io.EOF {
		return r.at(short(what, want, r.end-r.start))
	}
	return r.at(fmt.Errorf("frame: reading %s: wanted %d bytes, found %d: %w", what, want, r.end-r.start, err))
}

func (r *Reader) at(err error) error {
	return fmt.Errorf("stream offset %d: %w", r.offset, err)
}

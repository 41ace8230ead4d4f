package seglog

import (
	"errors"
	"fmt"
	"io"

	"github.com/carousel-ipc/carousel/frame"
)

// windowSize is how much of a segment is read at once; of large frames, which
// a window seldom ends with, it is more.
const (
	windowSize  = 256 << 10
	largeWindow = 1 << 20
	smallWindow = 4 << 10
)

// errShort: the file ends before the next frame does, or where it would begin.
var errShort = errors.New("no whole frame")

// scanner walks the frames of one segment.
//
// What it returned stays valid until release. What it could not use it reads
// again the next time: the end of a file that is being written, or that was
// cut off and is written anew, may have become something else.
type scanner struct {
	f     file
	pos   int64 // of the next frame in the file
	buf   []byte
	start int // buf[start:end] is read and not yet returned
	end   int
	held  bool     // something returned is in use
	old   [][]byte // windows in use, besides buf
	spare []byte
}

// at continues at an offset of another file, or of this one.
func (s *scanner) at(f file, pos int64) {
	s.f, s.pos = f, pos
	s.start, s.end = 0, 0
	if s.held { // what it has is in use
		s.old = append(s.old, s.buf)
		s.buf = nil
	}
}

// release: nothing that was returned is in use any more.
func (s *scanner) release() {
	s.held = false
	if len(s.old) > 0 {
		s.spare = s.old[0]
		s.old = s.old[:0]
	}
}

// quick returns the next frame if it has been read as a whole, is good, and is
// that of sequence seq; false leaves everything to next.
func (s *scanner) quick(seq uint64) (frame.Record, bool) {
	b := s.buf[s.start:s.end]
	if len(b) < frame.HeaderSize {
		return frame.Record{}, false
	}
	found, m, err := frame.Peek(b, frame.MaxPayload)
	if err != nil || found != seq || m.Flags()&frame.CRC == 0 || !m.Counts() || m.Size() > len(b) {
		return frame.Record{}, false
	}
	rec, n, err := frame.Decode(b, frame.MaxPayload)
	if err != nil {
		return frame.Record{}, false
	}
	s.start += n
	s.pos += int64(n)
	s.held = true
	return rec, true
}

// next returns the next frame: errShort, or an error that says what is wrong
// with it. With an error the position stays.
func (s *scanner) next() (frame.Record, error) {
	if err := s.fill(frame.HeaderSize); err != nil {
		return frame.Record{}, err
	}
	_, m, err := frame.Peek(s.buf[s.start:s.end], frame.MaxPayload)
	if err == nil && m.Flags()&frame.CRC == 0 {
		err = fmt.Errorf("%w: wanted a frame with a checksum, found flags %v", frame.ErrMalformed, m.Flags())
	}
	if err == nil {
		if err := s.fill(m.Size()); err != nil {
			return frame.Record{}, err
		}
	}
	if err != nil {
		s.forget()
		return frame.Record{}, err
	}
	rec, n, err := frame.Decode(s.buf[s.start:s.end], frame.MaxPayload)
	if err != nil {
		s.forget()
		return frame.Record{}, err
	}
	s.start += n
	s.pos += int64(n)
	s.held = true
	return rec, nil
}

func (s *scanner) forget() { s.end = s.start }

// fill makes n bytes at start there, or is errShort.
func (s *scanner) fill(n int) error {
	have := s.end - s.start
	if have >= n {
		return nil
	}
	if n > windowSize { // a length that lies costs nothing
		size, err := s.f.size()
		if err != nil {
			return err
		}
		if size < s.pos+int64(n) {
			s.forget()
			return errShort
		}
	}
	if s.start+n > len(s.buf) {
		size, err := s.f.size()
		if err != nil {
			return err
		}
		// No more than the file will fill, if it does not grow much.
		window := max(windowSize, min(int64(16*n), largeWindow))
		s.turn(max(n, int(min(window, max(size-s.pos, smallWindow)))))
	} else if !s.held && s.start > 0 {
		copy(s.buf, s.buf[s.start:s.end])
		s.start, s.end = 0, have
	}
	got, err := s.f.ReadAt(s.buf[s.end:], s.pos+int64(have))
	if err != nil && err != io.EOF {
		return err
	}
	s.end += got
	if s.end-s.start < n {
		s.forget()
		return errShort
	}
	return nil
}

// turn begins another window of size bytes with what is left in this one.
func (s *scanner) turn(size int) {
	left := s.buf[s.start:s.end]
	var b []byte
	switch {
	case !s.held && len(s.buf) >= size:
		b = s.buf
	case len(s.spare) >= size:
		b, s.spare = s.spare, nil
	default:
		b = make([]byte, size)
	}
	if s.held && s.buf != nil {
		s.old = append(s.old, s.buf)
	}
	s.end = copy(b, left)
	s.buf, s.start = b, 0
}

// openSegment opens one and checks that its preamble fits its name. A preamble
// that is not all there is errShort.
func openSegment(d disk, g segment, write bool) (file, error) {
	f, err := d.open(g.name(), write)
	if err != nil {
		return nil, err
	}
	if err := checkPreamble(f, g); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func checkPreamble(f file, g segment) error {
	var b [frame.PreambleSize]byte
	n, err := f.ReadAt(b[:], 0)
	if err != nil && err != io.EOF {
		return err
	}
	if n < len(b) || b == [frame.PreambleSize]byte{} {
		return errShort
	}
	p, err := frame.DecodePreamble(b[:])
	if err != nil {
		return fmt.Errorf("%s: %w", g.name(), err)
	}
	if p.First != g.first || p.Epoch != g.epoch {
		return fmt.Errorf("%s: %w: wanted the preamble of sequence %d and epoch %d, found %d and %d",
			g.name(), frame.ErrMalformed, g.first, g.epoch, p.First, p.Epoch)
	}
	return nil
}

// extent is how far the frames of a segment are good.
type extent struct {
	next  uint64 // sequence behind them
	end   int64  // offset behind them
	ended bool   // the last of them is EOS
	bad   error  // what is wrong with what follows; nil: the file ends there, or in the middle of a frame
}

// measure walks from a place that is known to be the beginning of frame seq.
// visit, if not nil, is shown each record.
func measure(s *scanner, seq uint64, visit func(frame.Record)) (extent, error) {
	x := extent{next: seq, end: s.pos}
	for !x.ended {
		rec, err := s.next()
		if err == nil && rec.Sequence != x.next && rec.Flags()&frame.Pad == 0 {
			err = fmt.Errorf("%w: wanted sequence %d, found %d", frame.ErrMalformed, x.next, rec.Sequence)
		}
		switch {
		case err == nil:
		case errors.Is(err, errShort):
			return x, nil
		case isFrameError(err):
			x.bad = err
			return x, nil
		default:
			return x, err
		}
		if rec.Counts() {
			x.next++
			if visit != nil {
				visit(rec)
			}
		}
		x.end, x.ended = s.pos, rec.Flags()&frame.EOS != 0
		s.release()
	}
	return x, nil
}

// isFrameError tells bytes that are wrong from a disk that is.
func isFrameError(err error) bool {
	for _, e := range []error{frame.ErrMalformed, frame.ErrUnknownFlag, frame.ErrTooLarge, frame.ErrChecksum,
		frame.ErrMagic, frame.ErrByteOrder, frame.ErrVersion} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

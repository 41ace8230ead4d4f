package transport

import (
	"fmt"

	"github.com/carousel-ipc/carousel/frame"
)

// stage holds what is reserved and not committed, as frames one behind the
// other, for media whose frames leave this process by a system call.
type stage struct {
	buf   []byte // as long as it is in use; never moved while it is
	held  []heldFrame
	next  uint64 // sequence behind what is held
	most  int    // largest payload
	flags frame.Flags
	bytes uint64 // payload held
	why   string // behind the limit in the error of what is too large
}

type heldFrame struct {
	at   int // offset in buf
	meta frame.Meta
}

// stageBytes is how much can be staged, unless one record is larger.
const stageBytes = 4 << 20

func newStage(next uint64, most int, flags frame.Flags) stage {
	return stage{next: next, most: most, flags: flags}
}

// fits is ErrTooLarge or nil.
func (s *stage) fits(n int) error {
	if uint(n) > uint(s.most) {
		return fmt.Errorf("%w: %d bytes, want 0 to %d%s", ErrTooLarge, n, s.most, s.why)
	}
	return nil
}

// add stages a record of n bytes and returns its payload.
func (s *stage) add(h Header, n int) ([]byte, error) {
	if err := s.fits(n); err != nil {
		return nil, err
	}
	if s.buf == nil { // pages that are never touched cost nothing
		s.buf = make([]byte, 0, max(stageBytes, frame.Size(s.most, s.flags)))
	}
	m := frame.MakeMeta(n, h.Type, chainFlags(h)|s.flags)
	at := len(s.buf)
	if at+m.Size() > cap(s.buf) {
		return nil, fmt.Errorf("%w: %d bytes staged, %d more do not fit in %d", ErrBatchFull, at, m.Size(), cap(s.buf))
	}
	s.buf = s.buf[:at+m.Size()]
	s.held = append(s.held, heldFrame{at, m})
	s.next++
	s.bytes += uint64(n)
	start := at + frame.HeaderSize
	return s.buf[start : start+n : start+n], nil
}

func chainFlags(h Header) (f frame.Flags) {
	if h.More {
		f |= frame.More
	}
	if h.Continues {
		f |= frame.Cont
	}
	return f
}

// first is the sequence of the first record that is held, or of the next.
func (s *stage) first() uint64 { return s.next - uint64(len(s.held)) }

// seal completes the frames that are held.
func (s *stage) seal() {
	seq := s.first()
	for _, h := range s.held {
		frame.Wrap(s.buf[h.at:h.at+h.meta.Size()], seq, h.meta)
		seq++
	}
}

// frame is the i-th frame that is held.
func (s *stage) frame(i int) []byte {
	h := s.held[i]
	return s.buf[h.at : h.at+h.meta.Size()]
}

// drop takes the last n records back.
func (s *stage) drop(n int) {
	for range n {
		last := s.held[len(s.held)-1]
		s.held, s.buf = s.held[:len(s.held)-1], s.buf[:last.at]
		s.next--
		s.bytes -= uint64(last.meta.Len())
	}
}

// clear: what was held is committed.
func (s *stage) clear() { s.buf, s.held, s.bytes = s.buf[:0], s.held[:0], 0 }

package seglog

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/ring"
)

// overrun has the next call tell that records are gone.
func (r *Reader) overrun(from, to uint64) {
	r.pending = &ring.OverrunError{Lost: to - from + 1, From: from, To: to}
}

// relist is how long a list of the folder is believed while there is nothing
// new in the segment.
const relist = 2 * time.Millisecond

// settled is how long a frame that is wrong may be one that is being written,
// on systems where such can be seen.
const settled = 250 * time.Millisecond

// behind is called where the segment has nothing more; why says what there is
// instead, nil behind EOS. nil: there is more now. ring.ErrEmpty: nothing yet.
func (r *Reader) behind(why error) error {
	died := r.died.Load()
	if died && r.lock != nil {
		r.died.Store(false) // before the look: the next death is told after it
		alive, err := r.alive()
		if err != nil {
			return err
		}
		died = !alive
		if died {
			r.died.Store(true)
		}
	}
	now := time.Now()
	if !died && why == errShort && now.Sub(r.listed) < relist {
		return ring.ErrEmpty
	}
	r.listed = now
	after, gone, err := r.successor()
	if err != nil {
		return err
	}
	if why != nil && (after != segment{} || died) {
		// What was appended before that was found out is there now.
		pos := r.s.pos
		if r.f == nil {
			pos = frame.PreambleSize
		}
		if _, err := r.frame(); err == nil {
			r.s.at(r.f, pos)
			return nil
		} else if !isFrameError(err) && !errors.Is(err, errShort) {
			return err
		} else {
			why = err
		}
	}
	switch {
	case after != segment{}:
		return r.follow(after, gone, why)
	case why == nil:
		return ring.ErrEmpty
	case died && r.f != nil:
		if n, err := r.remnant(); err != nil || n > 0 {
			return cmp.Or(err, r.damaged(why, fmt.Sprintf("%d frames behind it, which a producer that opens the log will cut off", n)))
		}
		return ring.ErrProducerDied
	case died:
		return ring.ErrProducerDied
	case isFrameError(why):
		if r.bad.IsZero() {
			r.bad = now
		} else if now.Sub(r.bad) > settled {
			return r.damaged(why, "a producer that is alive")
		}
	}
	return ring.ErrEmpty
}

// remnant counts the frames behind the place where one is wrong.
func (r *Reader) remnant() (int, error) {
	size, err := r.f.size()
	if err != nil {
		return 0, err
	}
	return records(r.f, r.s.pos, size, r.next)
}

// damaged is the error about a frame that is wrong although it is not the torn
// end of the log. If one record is all that is wrong, the next call goes on
// behind it, and the error wraps why; else it is final.
func (r *Reader) damaged(why error, found string) error {
	at := fmt.Sprintf("%s, offset %d, record %d", r.g.name(), r.s.pos, r.next)
	if errors.Is(why, frame.ErrChecksum) && r.stepOver() {
		return corrupt(fmt.Errorf("%s: %w", at, why))
	}
	r.failed = corrupt(fmt.Errorf("%s: wanted a frame, found %s: %v", at, found, why))
	return r.failed
}

// stepOver goes to the next frame, if it is where the header of the one that is
// wrong says, and the one that follows.
func (r *Reader) stepOver() bool {
	pos := r.s.pos
	head, err := readAt(r.f, pos, frame.HeaderSize)
	if err != nil {
		return false
	}
	_, m, err := frame.Peek(head, frame.MaxPayload)
	if err != nil {
		return false
	}
	behind := pos + int64(m.Size())
	r.s.at(r.f, behind)
	if rec, err := r.s.next(); err != nil || rec.Sequence != r.next+1 {
		r.s.at(r.f, pos)
		return false
	}
	r.s.at(r.f, behind)
	r.next++
	r.bad = time.Time{}
	return true
}

func corrupt(err error) error { return fmt.Errorf("%w: %w", ring.ErrCorrupt, err) }

// successor is the segment that the next record is in, if there is any behind
// this one; gone tells that this one is no longer in the folder.
func (r *Reader) successor() (after segment, gone bool, err error) {
	list, _, err := segments(r.d)
	if errors.Is(err, fs.ErrNotExist) { // the log was removed
		return segment{}, true, nil
	}
	if err != nil {
		return segment{}, false, err
	}
	gone = true
	for _, g := range list {
		switch {
		case g == r.g:
			gone = false
		case after == segment{} && g.first >= r.next && g.epoch >= r.g.epoch && g.compare(r.g) > 0:
			after = g
		}
	}
	return after, gone, nil
}

// follow goes on in segment g. why is what the end of this one looked like.
func (r *Reader) follow(g segment, gone bool, why error) error {
	// Bytes that are no frame were cut off, if the next producer began there.
	if g.first > r.next && !gone && why != nil && isFrameError(why) {
		return r.damaged(why, fmt.Sprintf("records that can be read from seq=%d on", g.first))
	}
	if err := r.open(g); errors.Is(err, fs.ErrNotExist) {
		return nil // removed since; look again
	} else if err != nil {
		return corrupt(err)
	}
	if g.first > r.next {
		if g.first-1 >= r.first {
			r.overrun(max(r.next, r.first), g.first-1)
		}
		r.next = g.first
	}
	return nil
}

package seglog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/ring"
	"github.com/carousel-ipc/carousel/shm"
)

// Reader follows a log from some record on. One goroutine at a time; Close may
// be called from any.
type Reader struct {
	d       disk
	lock    *shm.File // of the producer's role; nil without one (a disk in a test)
	alarm   notice    // ends waits
	unwatch func()
	died    atomic.Bool // the producer's lock may be free
	closed  atomic.Bool
	mu      sync.Mutex // of a call, against Close

	g       segment
	f       file
	s       scanner
	next    uint64 // sequence of the record that comes next
	first   uint64 // with a start that is still to come: nothing before it is returned
	ended   bool   // EOS was the last frame, and nothing is behind it
	pending error  // to be told by the next call
	failed  error  // final
	listed  time.Time
	bad     time.Time // since when the next frame is wrong
}

// open makes g the segment that is read. Its preamble may still be to come:
// then there is no file yet.
func (r *Reader) open(g segment) error {
	f, err := openSegment(r.d, g, false)
	if err != nil && !errors.Is(err, errShort) {
		return err
	}
	if r.f != nil {
		_ = r.f.Close()
	}
	r.g, r.f, r.ended, r.bad, r.listed = g, nil, false, time.Time{}, time.Time{}
	if err == nil {
		r.f = f
		r.s.at(f, frame.PreambleSize)
	}
	return nil
}

// Sequence is that of the record that comes next.
func (r *Reader) Sequence() uint64 { return max(r.next, r.first) }

// Epoch is that of the producer whose records are being read.
func (r *Reader) Epoch() uint64 { return r.g.epoch }

// Release: no payload that was returned is in use any more.
func (r *Reader) Release() { r.s.release() }

// TryNext returns the next record or ring.ErrEmpty. Other errors are those of
// Next.
func (r *Reader) TryNext() (frame.Record, error) {
	if rec, ok := r.quick(); ok {
		return rec, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.try()
}

// Next waits until ctx ends. io.EOF at the end of the log; ring.ErrProducerDied
// behind what a dead producer appended; *ring.OverrunError where retention was
// faster; ring.ErrCorrupt, which is final unless it wraps frame.ErrChecksum, and
// then about the record before Sequence. Payloads are valid until Release.
func (r *Reader) Next(ctx context.Context, wait ring.Wait) (frame.Record, error) {
	if rec, ok := r.quick(); ok {
		return rec, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	rec, err := r.try()
	if err == ring.ErrEmpty && wait == ring.Adaptive {
		nap()
		rec, err = r.try()
	}
	if err != ring.ErrEmpty {
		return rec, err
	}
	stop := context.AfterFunc(ctx, r.alarm.ring)
	defer stop()
	for {
		if err := ctx.Err(); err != nil {
			return frame.Record{}, err
		}
		armed := r.g
		r.alarm.arm(wait, armed)
		if r.alarm.renamed() { // before a sleep, what there is has to be known
			r.listed = time.Time{}
		}
		if rec, err = r.try(); err != ring.ErrEmpty {
			return rec, err
		}
		if r.g != armed { // which has ended: it is another that will be written
			continue
		}
		if err := r.alarm.wait(); err != nil {
			return frame.Record{}, err
		}
	}
}

// quick is try for a record that is in memory already: all that Close takes away
// is the file.
func (r *Reader) quick() (frame.Record, bool) {
	if r.pending != nil || r.ended || r.next < r.first || r.closed.Load() {
		return frame.Record{}, false
	}
	rec, ok := r.s.quick(r.next)
	if ok {
		r.next++
		r.bad = time.Time{}
	}
	return rec, ok
}

func (r *Reader) try() (frame.Record, error) {
	for {
		if r.closed.Load() {
			return frame.Record{}, os.ErrClosed
		}
		if err := r.pending; err != nil {
			r.pending = nil
			return frame.Record{}, err
		}
		if r.failed != nil {
			return frame.Record{}, r.failed
		}
		if r.ended {
			if err := r.behind(nil); err != nil {
				return frame.Record{}, cmp.Or(ifEmpty(err, io.EOF), err)
			}
			continue
		}
		rec, err := r.frame()
		switch {
		case err == nil && rec.Flags()&frame.EOS != 0:
			r.ended = true
		case err == nil && !rec.Counts():
		case err == nil:
			r.next++
			if rec.Sequence >= r.first {
				return rec, nil
			}
		case errors.Is(err, errShort) || isFrameError(err):
			if err := r.behind(err); err != nil {
				return frame.Record{}, err
			}
		default:
			return frame.Record{}, fmt.Errorf("%s: %w", r.g.name(), err)
		}
	}
}

func ifEmpty(err, instead error) error {
	if err == ring.ErrEmpty {
		return instead
	}
	return nil
}

// frame is the next frame, which has to be the one that follows.
func (r *Reader) frame() (frame.Record, error) {
	if r.f == nil {
		// It may have gone, too: the next producer removes one with nothing in it.
		if err := r.open(r.g); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return frame.Record{}, err
		}
		if r.f == nil {
			return frame.Record{}, errShort
		}
	}
	pos := r.s.pos
	rec, err := r.s.next()
	if err == nil && rec.Sequence != r.next && rec.Flags()&frame.Pad == 0 {
		r.s.at(r.f, pos)
		err = fmt.Errorf("%w: wanted sequence %d, found %d", frame.ErrMalformed, r.next, rec.Sequence)
	}
	if err == nil {
		r.bad = time.Time{}
	}
	return rec, err
}

// Wait returns when another producer goes on with the log, which has ended or
// whose producer has died: nil. ring.ErrRemoved when the folder is another one
// or none.
func (r *Reader) Wait(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	stop := context.AfterFunc(ctx, r.alarm.ring)
	defer stop()
	for {
		if r.closed.Load() {
			return os.ErrClosed
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		r.alarm.arm(ring.Block, r.g)
		after, _, err := r.successor()
		if err != nil {
			return err
		}
		if (after != segment{}) {
			return nil
		}
		if alive, err := r.alive(); err == nil && alive && !r.ended {
			r.died.Store(false)
			return nil
		}
		if named, err := r.lock.Named(); err != nil || !named {
			return cmp.Or(err, ring.ErrRemoved)
		}
		if err := r.alarm.waitAtMost(50 * time.Millisecond); err != nil {
			return err
		}
	}
}

// Close ends a call that waits.
func (r *Reader) Close() error {
	if r.closed.Swap(true) {
		return os.ErrClosed
	}
	r.alarm.ring()
	r.unwatch()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.release()
}

func (r *Reader) release() error {
	var errs []error
	if r.f != nil {
		errs = append(errs, r.f.Close())
	}
	if r.alarm != nil {
		errs = append(errs, r.alarm.close())
	}
	if r.lock != nil {
		errs = append(errs, r.lock.Close())
	}
	return errors.Join(errs...)
}

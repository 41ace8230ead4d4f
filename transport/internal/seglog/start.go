package seglog

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/carousel-ipc/carousel/ring"
	"github.com/carousel-ipc/carousel/shm"
)

// What Open may find instead of a log to read.
var (
	ErrNotYet = errors.New("the log has no producer yet")
	ErrDead   = errors.New("the producer is dead (what it left can be read from oldest, seq=N or time=T)")
	ErrEnded  = errors.New("the log has ended (what it holds can be read from oldest, seq=N or time=T)")
)

// Place says where a reader begins.
type Place struct {
	Start ring.Start
	Since time.Time // not zero: the last mark before it, instead
}

// Kept tells whether the place lies in what a log holds.
func (p Place) Kept() bool { return !p.Since.IsZero() || p.Start.Kept() }

// Open begins to read the log in dir. Besides errors of the file system,
// ErrNotYet, ErrDead and ErrEnded say that there is nothing to read now.
func Open(dir string, p Place) (*Reader, error) {
	lock, err := shm.Open(filepath.Join(dir, lockName), shm.ReadOnly)
	if err != nil {
		return nil, err
	}
	r := &Reader{d: folder{dir: dir}, lock: lock}
	alive, err := r.alive()
	if err == nil {
		err = r.start(p, alive)
	}
	if err == nil {
		r.alarm, err = newNotice(dir)
	}
	if err != nil {
		return nil, errors.Join(err, r.release())
	}
	r.died.Store(!alive)
	r.unwatch = lock.Watch(func() {
		if alive, err := r.alive(); err == nil && !alive {
			r.died.Store(true)
			r.alarm.ring()
		}
	})
	if alive, err := r.alive(); err == nil && !alive {
		r.died.Store(true)
	}
	return r, nil
}

func (r *Reader) alive() (bool, error) {
	if r.lock == nil {
		return true, nil
	}
	return r.lock.Held(producerRole)
}

// start finds the place.
func (r *Reader) start(p Place, alive bool) error {
	list, _, err := segments(r.d)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return ErrNotYet
	}
	x, err := r.lastExtent(list[len(list)-1])
	if err != nil {
		return err
	}
	switch {
	case alive && x.ended: // about to begin anew, or to leave
		return ErrNotYet
	case !alive && !p.Kept() && x.ended:
		return ErrEnded
	case !alive && !p.Kept():
		return ErrDead
	}
	oldest := list[0]
	switch n, seq := sequenceOf(p.Start); {
	case !p.Since.IsZero():
		return r.since(list, wallOf(p.Since))
	case seq:
		if n < oldest.first {
			r.overrun(n, oldest.first-1)
			return r.enter(oldest, oldest.first)
		}
		r.first = n
		for _, g := range slices.Backward(list) {
			if g.first <= n {
				return r.enter(g, min(n, x.next))
			}
		}
	case !p.Start.Kept():
		r.first = x.next
		return r.enter(list[len(list)-1], x.next)
	}
	return r.enter(oldest, oldest.first)
}

// sequenceOf is N of seq=N.
func sequenceOf(s ring.Start) (n uint64, ok bool) {
	_, err := fmt.Sscanf(s.String(), "seq=%d", &n)
	return n, err == nil
}

// lastExtent measures the segment that is being written, or was last.
func (r *Reader) lastExtent(g segment) (extent, error) {
	f, err := openSegment(r.d, g, false)
	if errors.Is(err, errShort) {
		return extent{next: g.first}, nil
	}
	if err != nil {
		return extent{}, corrupt(err)
	}
	defer f.Close()
	var s scanner
	seq, err := seek(r.d, g, f, &s, anyMark)
	if err != nil {
		return extent{}, err
	}
	return measure(&s, seq, nil)
}

// since begins at the last mark that is not younger than t, or at the oldest
// record.
func (r *Reader) since(list []segment, t int64) error {
	for _, g := range slices.Backward(list) {
		ms, err := marks(r.d, g)
		if err != nil {
			return err
		}
		if len(ms) == 0 || ms[0].time > t {
			continue
		}
		if err := r.open(g); err != nil {
			return err
		}
		if r.f == nil {
			continue // its marks outlived it
		}
		r.next, err = seek(r.d, g, r.f, &r.s, func(m mark) bool { return m.time <= t })
		return err
	}
	return r.enter(list[0], list[0].first)
}

// enter goes to segment g, to a mark at or before record seq. What lies between
// the two is skipped by Next, because of r.first.
func (r *Reader) enter(g segment, seq uint64) error {
	if err := r.open(g); err != nil {
		return err
	}
	if r.f == nil {
		r.next = g.first
		return nil
	}
	next, err := seek(r.d, g, r.f, &r.s, func(m mark) bool { return m.seq <= seq })
	r.next = next
	return err
}

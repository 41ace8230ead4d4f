package ring

import (
	"os"
	"sync/atomic"
	"time"

	"github.com/carousel-ipc/carousel/futex"
)

// A section keeps Close, which any goroutine may call, apart from the call
// that its owner has in flight. The owner enters and leaves for every call,
// so that must cost next to nothing: it stores busy and looks at closed, Close
// stores closed and looks at busy, and the full barrier that one of the two
// needs between its store and its look is Close's, a membarrier that reaches
// every thread of this process. Where membarrier is refused the owner pays.
//
// Whatever else a call may have to know before it begins is a bit beside
// closed, so that the plain case has one look for all.
type section struct {
	busy  uint32 // the owner's: 1 while a call is in flight
	state uint32 // those below; 0 in the plain case
	rest  *sectionRest
}

// sectionRest is what calls in the plain case do not touch.
type sectionRest struct {
	finished chan struct{}
	why      atomic.Pointer[error] // the memory was lost: what to tell
	inside   bool                  // the owner's: in a call that is guarded
}

const (
	sectionClosed  = 1 << iota // set once by Close
	sectionFenced              // the owner fences, Close does not; fixed before first use
	sectionGuarded             // each call is guarded by itself (guard.go); fixed before first use
	sectionLost                // the memory is gone; set once
)

// init is given the regions that the handle alone uses.
func (s *section) init(regions ...region) {
	s.state = 0
	if !futex.Registered() {
		s.state = sectionFenced
	}
	s.rest = &sectionRest{finished: make(chan struct{})}
	for _, r := range regions {
		if m, ok := r.(*mapped); ok {
			m.ownedBy(s)
			if m.each {
				s.state |= sectionGuarded
			}
		}
	}
}

// enter begins a call of the owner. false: the call must do nothing but to say
// what again says.
func (s *section) enter() bool {
	mark(&s.busy, 1)
	return atomic.LoadUint32(&s.state) == 0 || s.enterOdd()
}

// enterPlainly is enter in the plain case. false: any other, and nothing is entered.
func (s *section) enterPlainly() bool {
	mark(&s.busy, 1)
	if atomic.LoadUint32(&s.state) == 0 {
		return true
	}
	mark(&s.busy, 0)
	return false
}

//go:noinline
func (s *section) enterOdd() bool {
	state := atomic.LoadUint32(&s.state)
	if state&sectionFenced != 0 {
		fencedMark(&s.busy, 1)
		state = atomic.LoadUint32(&s.state)
	}
	if state&(sectionClosed|sectionLost) != 0 || state&sectionGuarded != 0 && !s.rest.inside {
		s.leave()
		return false
	}
	return true
}

func (s *section) leave() { mark(&s.busy, 0) }

// unguarded tells whether a guard has to be put around what is to come.
func (s *section) unguarded() bool {
	return atomic.LoadUint32(&s.state)&sectionGuarded != 0 && !s.rest.inside
}

// over is why no call may go on, for those that have not begun and those that
// are about to wait: os.ErrClosed, what became of the memory, or nil.
func (s *section) over() error {
	switch state := atomic.LoadUint32(&s.state); {
	case state&sectionClosed != 0:
		return os.ErrClosed
	case state&sectionLost != 0:
		return *s.rest.why.Load()
	}
	return nil
}

// lose ends all use of the memory, which is gone.
func (s *section) lose(why error) {
	s.rest.why.CompareAndSwap(nil, &why)
	atomic.OrUint32(&s.state, sectionLost)
}

func (s *section) lost() bool { return atomic.LoadUint32(&s.state)&sectionLost != 0 }

// stranded tells whether a call was cut off by a fault that the caller's own
// guard has caught: nobody can say whether it will touch the memory again.
func (s *section) stranded() bool { return s.lost() && atomic.LoadUint32(&s.busy) != 0 }

// close forbids further calls, rings so that a call that waits returns, and
// comes back when none is in flight. false: another Close was first, and has
// finished.
func (s *section) close(ring func()) bool {
	before := atomic.OrUint32(&s.state, sectionClosed)
	if before&sectionClosed != 0 {
		<-s.rest.finished
		return false
	}
	if before&sectionFenced == 0 && kernel.Barrier() != nil {
		// Registered, and yet refused now (a seccomp filter came later): the
		// scheduler's own barriers reach every thread within this time.
		kernel.Sleep(50 * time.Millisecond)
	}
	for wait := time.Microsecond; atomic.LoadUint32(&s.busy) != 0 && !s.lost(); wait = min(2*wait, time.Millisecond) {
		ring()
		kernel.Sleep(wait)
	}
	return true
}

// done lets other callers of Close return.
func (s *section) done() { close(s.rest.finished) }

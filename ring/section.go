package ring

import (
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
type section struct {
	busy     uint32 // the owner's: 1 while a call is in flight
	state    uint32 // the two below; 0 in the plain case
	finished chan struct{}
}

const (
	sectionClosed = 1 << iota // set once by Close
	sectionFenced             // the owner fences, Close does not; fixed before first use
)

func (s *section) init() {
	if !futex.Registered() {
		s.state = sectionFenced
	}
	s.finished = make(chan struct{})
}

// enter begins a call of the owner. false: closed, and the call must do nothing.
func (s *section) enter() bool {
	mark(&s.busy, 1)
	return atomic.LoadUint32(&s.state) == 0 || s.enterFenced()
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
func (s *section) enterFenced() bool {
	fencedMark(&s.busy, 1)
	if s.isClosed() {
		s.leave()
		return false
	}
	return true
}

func (s *section) leave() { mark(&s.busy, 0) }

// isClosed is for calls in flight that are about to wait.
func (s *section) isClosed() bool { return atomic.LoadUint32(&s.state)&sectionClosed != 0 }

// close forbids further calls, rings so that a call that waits returns, and
// comes back when none is in flight. false: another Close was first, and has
// finished.
func (s *section) close(ring func()) bool {
	before := atomic.OrUint32(&s.state, sectionClosed)
	if before&sectionClosed != 0 {
		<-s.finished
		return false
	}
	if before&sectionFenced == 0 && kernel.Barrier() != nil {
		// Registered, and yet refused now (a seccomp filter came later): the
		// scheduler's own barriers reach every thread within this time.
		kernel.Sleep(50 * time.Millisecond)
	}
	for wait := time.Microsecond; atomic.LoadUint32(&s.busy) != 0; wait = min(2*wait, time.Millisecond) {
		ring()
		kernel.Sleep(wait)
	}
	return true
}

// done lets other callers of Close return.
func (s *section) done() { close(s.finished) }

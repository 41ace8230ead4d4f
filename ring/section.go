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
	closed   uint32 // set once by Close
	cheap    bool   // Close issues a membarrier; fixed before first use
	finished chan struct{}
}

func (s *section) init() {
	s.cheap = futex.Registered()
	s.finished = make(chan struct{})
}

// enter begins a call of the owner. false: closed, and the call must do nothing.
func (s *section) enter() bool {
	if s.cheap {
		mark(&s.busy, 1)
	} else {
		fencedMark(&s.busy, 1)
	}
	if atomic.LoadUint32(&s.closed) != 0 {
		s.leave()
		return false
	}
	return true
}

func (s *section) leave() { mark(&s.busy, 0) }

// isClosed is for calls in flight that are about to wait.
func (s *section) isClosed() bool { return atomic.LoadUint32(&s.closed) != 0 }

// close forbids further calls, rings so that a call that waits returns, and
// comes back when none is in flight. false: another Close was first, and has
// finished.
func (s *section) close(ring func()) bool {
	if !atomic.CompareAndSwapUint32(&s.closed, 0, 1) {
		<-s.finished
		return false
	}
	if s.cheap && kernel.Barrier() != nil {
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

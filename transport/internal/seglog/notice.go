package seglog

import (
	"time"

	"github.com/carousel-ipc/carousel/ring"
)

// notice is how a reader sleeps until there may be something new in a segment,
// or a new segment: arm, look, wait. ring, from any goroutine, ends the wait that
// is or the next one.
type notice interface {
	arm(w ring.Wait, g segment)
	// renamed tells once that there may be a new name in the folder. One that
	// came since arm ends the wait.
	renamed() bool
	wait() error
	waitAtMost(d time.Duration) error
	ring()
	close() error
}

// pollEvery is how often a reader looks where nothing tells of changes.
const pollEvery = 5 * time.Millisecond

// poll is the notice that knows only time.
type poll struct {
	rung  chan struct{}
	every time.Duration
}

func newPoll() *poll { return &poll{rung: make(chan struct{}, 1), every: pollEvery} }

func (p *poll) arm(w ring.Wait, _ segment) { p.every = pause(w, pollEvery) }

func (p *poll) renamed() bool { return true }

func (p *poll) wait() error { return p.waitAtMost(p.every) }

func (p *poll) waitAtMost(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.rung:
	case <-t.C:
	}
	return nil
}

func (p *poll) ring() {
	select {
	case p.rung <- struct{}{}:
	default:
	}
}

func (p *poll) close() error { return nil }

// pause is how long to wait between two looks: spin and yield do not sleep.
func pause(w ring.Wait, otherwise time.Duration) time.Duration {
	if w == ring.Spin || w == ring.Yield {
		return 0
	}
	return otherwise
}

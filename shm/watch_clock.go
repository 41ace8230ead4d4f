package shm

import "time"

// clock is the source that knows of no events, only of time.
type clock struct {
	until  time.Time
	kicked chan struct{}
	closed chan struct{}
}

func newClock() *clock {
	return &clock{kicked: make(chan struct{}, 1), closed: make(chan struct{})}
}

func (*clock) add(*File) (int, bool) { return 0, false }

func (*clock) remove(int) {}

// prepare forgets kicks that came before the time until was known.
func (c *clock) prepare(until time.Time) {
	c.until = until
	select {
	case <-c.kicked:
	default:
	}
}

func (c *clock) kick() {
	select {
	case c.kicked <- struct{}{}:
	default:
	}
}

func (c *clock) close() { close(c.closed) }

func (c *clock) wait() ([]event, bool) {
	var over <-chan time.Time
	if !c.until.IsZero() {
		over = time.After(time.Until(c.until))
	}
	select {
	case <-c.closed:
		return nil, false
	case <-c.kicked:
	case <-over:
	}
	return nil, true
}

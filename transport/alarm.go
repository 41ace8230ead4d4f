package transport

import (
	"sync/atomic"
	"time"
)

// alarm ends a read, in flight or the next one, from another goroutine: by a
// deadline that is past. Whoever reads calls arm, looks at what may have made
// somebody ring, and reads.
type alarm struct {
	of   interface{ SetReadDeadline(time.Time) error }
	rung atomic.Bool
}

var longAgo = time.Unix(1, 0)

func (a *alarm) ring() {
	a.rung.Store(true)
	_ = a.of.SetReadDeadline(longAgo)
}

func (a *alarm) arm() {
	_ = a.of.SetReadDeadline(time.Time{})
	if a.rung.Swap(false) { // between the two, or before: once too often does no harm
		_ = a.of.SetReadDeadline(longAgo)
	}
}

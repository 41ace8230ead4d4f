package transport

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// room is how the producer of a cast waits for its own senders: in the Go
// scheduler. They are goroutines of this process, which a look at a cursor over
// and over, or a sleep in the kernel, would hold up.
type room struct {
	bell   chan struct{}
	wanted atomic.Bool
	timer  *time.Timer
	not    bool // the producer is to spin or to yield
}

// roomPatience is how long it waits so, before it does what a ring's producer
// does: that finds out who is dead, counts deadlines and evicts.
const roomPatience = 2 * time.Millisecond

func newRoom(w Wait) *room {
	r := &room{bell: make(chan struct{}, 1), timer: time.NewTimer(time.Hour), not: w == Spin || w == Yield}
	r.timer.Stop()
	return r
}

// given tells the producer, if it waits, to look again.
func (r *room) given() {
	if r.wanted.Load() && r.wanted.CompareAndSwap(true, false) {
		select {
		case r.bell <- struct{}{}:
		default:
		}
	}
}

// await is ReserveRecord of the ring.
func (p *cast) await(ctx context.Context, h Header, n int) ([]byte, error) {
	r := p.room
	for !r.not {
		b, err := p.Producer.TryReserveRecord(h, n)
		if !errors.Is(err, ErrFull) {
			r.wanted.Store(false)
			return b, err
		}
		if !r.wanted.Swap(true) {
			continue // look again: what was given before this rang nobody
		}
		r.timer.Reset(roomPatience)
		select {
		case <-r.bell:
			continue
		case <-p.alone:
		case <-ctx.Done():
		case <-r.timer.C:
		}
		break
	}
	r.wanted.Store(false)
	return p.Producer.ReserveRecord(ctx, h, n)
}

package ring

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carousel-ipc/carousel/futex"
)

// An alarm ends the producer's sleep from within its own process: a cancelled
// context, Close, the death of a consumer. The producer sleeps on a word that
// belongs to a consumer, the cursor it waits for, and so cannot change it;
// the alarm is a second word to sleep on, or, where the kernel has no
// FUTEX_WAITV, wakes the first until that is seen.
type alarm struct {
	word *uint32 // rung by adding to it

	mu     sync.Mutex
	on     *uint32         // what the producer sleeps on now, nil: it does not
	gone   bool            // closed: nothing may be touched any more
	done   <-chan struct{} // of the context that rings now
	cancel func() bool     // makes it ring no more
}

func (a *alarm) init() { a.word = new(uint32) }

func (a *alarm) load() uint32 { return atomic.LoadUint32(a.word) }

// ring ends the present or the next sleep of the owner.
func (a *alarm) ring() {
	atomic.AddUint32(a.word, 1)
	kernel.WakeOwn(a.word)
	if kernel.CanWaitEither() {
		return
	}
	for wait := 10 * time.Microsecond; a.nudge(); wait = min(2*wait, time.Millisecond) {
		kernel.Sleep(wait)
	}
}

// nudge wakes the word that the owner sleeps on; false: it is awake.
func (a *alarm) nudge() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gone || a.on == nil {
		return false
	}
	kernel.Wake(a.on)
	return true
}

// watch lets the end of ctx ring the alarm. The last context is kept, because
// the next wait mostly has the same.
func (a *alarm) watch(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ctx.Done() == nil || ctx.Done() == a.done {
		return nil
	}
	a.forget()
	a.done, a.cancel = ctx.Done(), context.AfterFunc(ctx, a.ring)
	return nil
}

func (a *alarm) forget() {
	if a.cancel != nil {
		a.cancel()
		a.done, a.cancel = nil, nil
	}
}

// sleep until the shared word differs from value, it is woken, the alarm has
// rung since seen, or the bound is over: true.
func (a *alarm) sleep(shared *uint32, value uint32, seen uint32, bound time.Duration) (timeout bool) {
	if kernel.CanWaitEither() {
		if err := kernel.WaitEither(shared, value, a.word, seen, bound); err == nil || err == futex.ErrTimeout {
			return err != nil
		}
	}
	a.mu.Lock()
	a.on = shared
	a.mu.Unlock()
	// Whoever rings from here on finds a.on; whoever rang before is seen here.
	if a.load() == seen {
		timeout = kernel.Wait(shared, value, bound) == futex.ErrTimeout
	}
	a.mu.Lock()
	a.on = nil
	a.mu.Unlock()
	return timeout
}

// silence is the end: no word may be touched after it.
func (a *alarm) silence() {
	a.forget()
	a.mu.Lock()
	a.gone = true
	a.mu.Unlock()
}

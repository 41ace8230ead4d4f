package ring

import (
	"maps"
	"slices"
	"sync"
)

// listeners are functions to be called when somebody may have died. They are
// called without the lock, possibly once more after stop has returned.
type listeners struct {
	mu   sync.Mutex
	fns  map[int]func()
	next int
}

func (l *listeners) add(fn func()) (stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fns == nil {
		l.fns = map[int]func(){}
	}
	id := l.next
	l.next++
	l.fns[id] = fn
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.fns, id)
	}
}

func (l *listeners) call() {
	l.mu.Lock()
	fns := slices.Collect(maps.Values(l.fns))
	l.mu.Unlock()
	for _, fn := range fns {
		fn()
	}
}

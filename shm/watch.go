package shm

import (
	"reflect"
	"runtime"
	"sync"
	"time"
)

// pollEvery is how often a watch calls where nothing tells of closed files.
const pollEvery = 25 * time.Millisecond

// retests are the times after an event at which a watch calls. The kernel
// tells of a closed file a little before it drops its locks; the late ones are
// for a machine so busy that the dying process does not get to that.
var retests = [...]time.Duration{0, time.Millisecond, 4 * time.Millisecond, 16 * time.Millisecond, 64 * time.Millisecond, 256 * time.Millisecond}

// Watch has fn called whenever a lock of this file may have been dropped, until
// stop is called. That is when somebody closes the file or dies, and a few more
// times within the quarter second after it; where nothing tells of that, every 25 ms.
// Locks dropped before Watch returned are the caller's to look for.
//
// fn is to be quick: it looks at the locks that matter by Held. One goroutine
// calls the functions of all watches of this process, one after the other. fn
// should not lock and unlock the same file, which would have it called again.
//
// stop returns when fn is not running and will not be called any more, unless
// it is called from within fn: then it returns at once.
func (f *File) Watch(fn func()) (stop func()) {
	watching.Lock()
	defer watching.Unlock()
	if watching.now == nil {
		watching.now = newWatcher()
	}
	w := watching.now
	x := &watch{fn: fn}
	w.watches[x] = struct{}{}
	if key, ok := w.events.add(f); ok {
		x.key, x.told = key, true
	} else {
		x.pollFrom(time.Now())
		w.events.kick()
	}
	return func() { w.stop(x) }
}

// watching is the watcher of this process, if there is any watch. Its lock
// guards the watcher and all watches, too.
var watching struct {
	sync.Mutex
	now *watcher
}

// watch is one call of Watch.
type watch struct {
	fn      func()
	key     int       // which file's events are meant
	told    bool      // key is meant: the source gave it and is to have it back
	polls   bool      // nothing tells of this file, or does any more
	event   time.Time // the last event
	next    int       // index of the retest that is due
	due     time.Time // when to call; zero: not until an event
	running bool
	stopped bool
}

func (x *watch) pollFrom(now time.Time) {
	x.polls = true
	x.due = now.Add(pollEvery)
}

func (x *watch) noteEvent(now time.Time) {
	if !x.polls {
		x.event, x.next, x.due = now, 0, now
	}
}

// advance sets the time of the next call after one at now.
func (x *watch) advance(now time.Time) {
	if x.polls {
		x.due = now.Add(pollEvery)
		return
	}
	for x.next++; x.next < len(retests); x.next++ {
		if x.due = x.event.Add(retests[x.next]); x.due.After(now) {
			return
		}
	}
	x.due = time.Time{}
}

// source tells which files were closed. Everything but wait is called with
// watching locked.
type source interface {
	add(*File) (key int, ok bool)       // asks for a file's events
	remove(key int)                     // once for each add
	prepare(until time.Time)            // before each wait; zero: no bound
	wait() (events []event, alive bool) // returns early at will; dead after close
	kick()                              // has the wait prepared last return
	close()
}

// event tells about the file of a key, or about all of them.
type event struct {
	key  int
	all  bool
	last bool // there will be no more for this key
}

// watcher is the goroutine that calls, with its watches.
type watcher struct {
	watches map[*watch]struct{}
	events  source
	idle    *sync.Cond    // broadcast when a call has returned
	gone    chan struct{} // closed when the goroutine has ended
}

func newWatcher() *watcher {
	w := &watcher{
		watches: make(map[*watch]struct{}),
		events:  newSource(),
		idle:    sync.NewCond(&watching),
		gone:    make(chan struct{}),
	}
	go w.run()
	return w
}

func (w *watcher) run() {
	defer close(w.gone)
	watching.Lock()
	defer watching.Unlock()
	for {
		w.events.prepare(w.earliest())
		watching.Unlock()
		events, alive := w.events.wait()
		watching.Lock()
		if !alive {
			return
		}
		w.note(events, time.Now())
		w.callDue(time.Now())
	}
}

func (w *watcher) earliest() (t time.Time) {
	for x := range w.watches {
		if !x.due.IsZero() && (t.IsZero() || x.due.Before(t)) {
			t = x.due
		}
	}
	return t
}

func (w *watcher) note(events []event, now time.Time) {
	for _, e := range events {
		for x := range w.watches {
			if e.all || x.told && x.key == e.key {
				x.noteEvent(now)
			}
			if e.last && x.told && x.key == e.key && !x.polls {
				x.pollFrom(now)
			}
		}
	}
}

// callDue calls with watching unlocked, so that functions may watch and stop.
func (w *watcher) callDue(now time.Time) {
	var due []*watch
	for x := range w.watches {
		if !x.due.IsZero() && !x.due.After(now) {
			due = append(due, x)
		}
	}
	for _, x := range due {
		if x.stopped {
			continue
		}
		x.advance(now)
		x.running = true
		watching.Unlock()
		dispatch(x.fn)
		watching.Lock()
		x.running = false
		w.idle.Broadcast()
	}
}

func (w *watcher) stop(x *watch) {
	within := dispatched()
	watching.Lock()
	last := w.drop(x)
	for x.running && !within {
		w.idle.Wait()
	}
	watching.Unlock()
	if last && !within {
		<-w.gone
	}
}

// drop takes a watch out and reports whether it was the last one.
func (w *watcher) drop(x *watch) (last bool) {
	if x.stopped {
		return false
	}
	x.stopped = true
	delete(w.watches, x)
	if x.told {
		w.events.remove(x.key)
	}
	if len(w.watches) > 0 {
		return false
	}
	watching.now = nil
	w.events.close()
	return true
}

// dispatch calls fn. It is a function of its own for dispatched to find.
//
//go:noinline
func dispatch(fn func()) { fn() }

// dispatched reports whether it is called from within a function that a
// watcher calls: whether dispatch is on the stack.
func dispatched() bool {
	entry := reflect.ValueOf(dispatch).Pointer()
	pcs := make([]uintptr, 64)
	n := runtime.Callers(2, pcs)
	for n == len(pcs) {
		pcs = make([]uintptr, 2*len(pcs))
		n = runtime.Callers(2, pcs)
	}
	frames := runtime.CallersFrames(pcs[:n])
	for {
		f, more := frames.Next()
		if f.Entry == entry {
			return true
		}
		if !more {
			return false
		}
	}
}

package ring

import (
	"runtime"
	"sync/atomic"

	"github.com/carousel-ipc/carousel/futex"
)

// A ladder is how a handle waits before it sleeps: spin, then give up the
// turn a few times.
type ladder struct {
	wait       Wait
	cpus       int  // that this process may use, read when the handle was made
	cooperates bool // with goroutines: the other side is one, or there is one processor for all of them
}

func newLadder(w Wait, b backing) ladder {
	cpus := min(runtime.NumCPU(), runtime.GOMAXPROCS(0))
	_, inProcess := b.(*memoryBacking)
	return ladder{w, cpus, inProcess || cpus == 1}
}

const (
	spinLooks     = 600 // about 50 us with the pauses between them
	yieldTurns    = 64  // some 20 us on a processor that nobody else wants
	pausesPerLook = 7
	politeTurns   = 4       // of these, in a process with several handles
	goschedTurns  = 1 << 14 // and of those who wait for ever
)

// spins tells whether to spin at all. Nobody does where there are more who
// would than processors.
func (l ladder) spins(consumers uint32) bool {
	switch l.wait {
	case Spin:
		return l.cpus > 1
	case Adaptive:
		return l.cpus > 1 && int64(consumers) < int64(l.cpus)
	}
	return false
}

// sleeps tells whether the ladder ends in the kernel.
func (l ladder) sleeps() bool { return l.wait == Adaptive || l.wait == Block }

// yields is how often to give up the turn before sleeping.
func (l ladder) yields() int {
	if l.wait == Block {
		return 0
	}
	return yieldTurns
}

// A climb is one wait on the ladder.
type climb struct {
	ladder
	spin  bool
	turns int
}

func (l ladder) start(consumers uint32) climb { return climb{ladder: l, spin: l.spins(consumers)} }

// progress starts anew: whoever is waited for is awake.
func (c *climb) progress() { c.turns = 0 }

// again waits one turn; false: it is time to sleep.
func (c *climb) again() bool {
	c.turns++
	looks := 0
	if c.spin {
		looks = spinLooks
	}
	switch {
	case c.turns <= looks:
		pause(pausesPerLook)
	case c.turns <= looks+c.yields():
		c.yield(c.turns - looks)
	case c.sleeps():
		return false
	case c.spin && c.turns%spinLooks != 0:
		pause(pausesPerLook)
	default:
		c.yield(c.turns)
	}
	return true
}

// yield gives up the turn, to other processes too.
func (l ladder) yield(turn int) {
	l.gosched(turn)
	futex.Yield()
}

// gosched gives up the turn to goroutines of this process if one of them may
// bring what is waited for; else now and then. For a goroutine that is locked to
// its thread, as one with a processor of its own is, runtime.Gosched costs two
// switches of threads.
func (l ladder) gosched(turn int) {
	if l.cooperates || turn%goschedTurns == 0 || turn <= politeTurns && handles.Load() > 1 {
		runtime.Gosched()
	}
}

// handles is how many producers and consumers this process has.
var handles atomic.Int32

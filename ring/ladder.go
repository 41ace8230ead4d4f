package ring

import (
	"runtime"

	"github.com/carousel-ipc/carousel/futex"
)

// A ladder is how a handle waits before it sleeps: spin, then give up the
// turn a few times.
type ladder struct {
	wait Wait
	cpus int // that this process may use, read when the handle was made
}

func newLadder(w Wait) ladder {
	return ladder{w, min(runtime.NumCPU(), runtime.GOMAXPROCS(0))}
}

const (
	spinLooks     = 600 // about 50 us with the pauses between them
	yieldTurns    = 4
	pausesPerLook = 7
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
		yield()
	case c.sleeps():
		return false
	case c.spin && c.turns%spinLooks != 0:
		pause(pausesPerLook)
	default:
		yield()
	}
	return true
}

// yield gives way to other goroutines of this process and to other processes.
func yield() {
	runtime.Gosched()
	futex.Yield()
}

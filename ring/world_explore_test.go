//go:build explore

package ring

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/carousel-ipc/carousel/futex"
)

// The scheduler: parts of a script, each a coroutine on the real ring, of which
// one runs at a time. At every access to a shared word it is decided who makes
// the next one. So every interleaving of accesses can be had, under sequential
// consistency: this finds statements in the wrong order and looks that are
// missing, not missing fences. Those are the business of the abstract model.

// killed is what a part panics with that does not live any more.
type killed struct{}

// wrong is what a part panics with that has seen a promise broken.
type wrong struct{ error }

// A part is a process of the script.
type part struct {
	name     string
	bit      uint32
	resume   func() (struct{}, bool)
	abandon  func()
	yield    func(struct{}) bool
	over     bool
	dead     bool
	idle     bool       // it may sleep at the end
	mortal   bool       // the schedule may kill it
	asleep   [2]*uint32 // the words it sleeps on
	bounded  bool       // so that time may wake it, too
	timedOut bool
	napping  int // it waits for somebody else to make a step: that step's number
	died     func()
}

func (p *part) sleeps() bool { return p.asleep[0] != nil }

// A world is one run of a script under one schedule.
type world struct {
	*stage
	chart   *chart
	pilot   pilot
	parts   []*part
	current *part // nil: the script itself, which nobody interrupts
	next    *part // who was chosen to go on
	spent   int   // preemptions
	kills   int   // that the schedule may still do
	killed  bool
	steps   int
	trace   []event
	err     error

	marks   bool            // section marks are accesses, too
	frugal  bool            // whoever is not the first that could go on counts as a preemption
	refused map[string]bool // parts whose membarrier is refused
	locks   []*sync.Mutex   // the part that holds one goes on
	hushed  int             // notices wait while it is not zero
}

type event struct {
	part *part
	kind accessKind
	p    *uint32
	note string
}

// A pilot decides how a run goes on where there is a choice.
type pilot interface {
	choose(ways int) int
	preemptions() int // how many a run may have
}

const mostSteps = 20000 // of a run: more is a loop without end

func newWorld(s *stage, c *chart, p pilot) *world {
	s.reset()
	return &world{stage: s, chart: c, pilot: p}
}

// start adds a part. It begins when the schedule says so.
func (w *world) start(name string, body func()) *part {
	p := &part{name: name, bit: 1 << min(len(w.parts), 31)}
	p.resume, p.abandon = iter.Pull(func(yield func(struct{}) bool) {
		p.yield = yield
		defer func() {
			p.over = true
			switch e := recover().(type) {
			case nil, killed:
			case wrong:
				w.fail(fmt.Errorf("%s: %w", name, e.error))
			default:
				w.fail(fmt.Errorf("%s: panic: %v", name, e))
			}
		}()
		body()
	})
	w.parts = append(w.parts, p)
	return p
}

func (w *world) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// run plays the script to its end and returns what went wrong.
func (w *world) run() error {
	step, kernel = w.step, w
	defer func() {
		w.current = nil
		for _, p := range w.parts {
			p.dead = true
			p.abandon()
		}
		step, kernel = nil, kernelCalls{}
	}()
	for w.err == nil {
		w.heed()
		if w.next == nil {
			if w.next = w.pick(); w.next == nil {
				break
			}
		}
		p := w.next
		w.next = nil
		w.current = p
		p.resume()
		w.current = nil
		if p.dead && p.died != nil {
			died := p.died
			p.died = nil
			w.hushed = 0 // it may have been the part that joined
			died()
		}
	}
	return w.err
}

// heed makes parts of the notices that are due.
func (w *world) heed() {
	if w.hushed > 0 {
		return
	}
	for _, fn := range w.notices {
		w.start("notice", fn)
	}
	w.notices = nil
}

// ready tells whether a part can make a step.
func (w *world) ready(p *part) bool {
	return !p.over && !p.dead && !p.sleeps() && (p.napping == 0 || p.napping < w.steps)
}

// pick chooses who goes on when the one before cannot. nil: all is over.
func (w *world) pick() *part {
	var can []*part
	for _, p := range w.parts {
		if w.ready(p) {
			can = append(can, p)
		}
	}
	if len(can) == 0 { // time passes
		for _, p := range w.parts {
			if !p.over && !p.dead && (p.napping > 0 || p.sleeps() && p.bounded) {
				can = append(can, p)
			}
		}
	}
	if len(can) == 0 {
		for _, p := range w.parts {
			if !p.over && !p.dead && !p.idle {
				w.fail(fmt.Errorf("%s sleeps on %s and nobody is left to wake it", p.name, w.wordName(p.asleep[0])))
			}
		}
		return nil
	}
	p := can[0]
	if !w.frugal {
		p = can[w.pilot.choose(len(can))]
	} else if len(can) > 1 && w.spent < w.pilot.preemptions() {
		if p = can[w.pilot.choose(len(can))]; p != can[0] {
			w.spent++
		}
	}
	w.rouse(p)
	return p
}

// rouse lets time wake a part that sleeps with a bound.
func (w *world) rouse(p *part) {
	p.napping = 0
	if p.sleeps() {
		p.asleep, p.timedOut = [2]*uint32{}, true
	}
}

// step is called before every access. It lets the part go on, lets another one
// go on first, or kills it.
func (w *world) step(kind accessKind, p *uint32) {
	me := w.current
	if me == nil {
		return
	}
	if me.dead {
		panic(killed{})
	}
	if w.steps++; w.steps > mostSteps {
		panic(wrong{fmt.Errorf("no end after %d steps", mostSteps)})
	}
	if matters := w.matters(me, kind, p); matters || me.mortal && w.kills > 0 {
		w.decide(me, kind, matters)
	}
	w.trace = append(w.trace, event{me, kind, p, ""})
}

// matters tells whether another order of this access and those of others could
// make a difference, and notes who makes it. Fences are no accesses.
func (w *world) matters(me *part, kind accessKind, p *uint32) bool {
	switch kind {
	case accessFence:
		return false
	case accessMark:
		return w.marks
	case accessFill, accessCopy, accessSleep, accessWake:
		return true
	}
	i, ok := w.chart.index(p)
	if !ok {
		return false
	}
	if kind == accessLoad {
		w.chart.loads[i] |= me.bit
	} else {
		w.chart.stores[i] |= me.bit
	}
	return w.chart.disputed[i]
}

func (w *world) decide(me *part, kind accessKind, matters bool) {
	w.heed()
	mortal := me.mortal && w.kills > 0 && (kind == accessStore || kind == accessFill || kind == accessSleep)
	free := matters && w.spent < w.pilot.preemptions() && w.unlocked()
	if !mortal && !free {
		return
	}
	var ways [12]*part
	n := 1
	if mortal {
		ways[n] = me
		n++
	}
	if free {
		for _, p := range w.parts {
			if n < len(ways) && p != me && (w.ready(p) || p.sleeps() && p.bounded && !p.dead) {
				ways[n] = p
				n++
			}
		}
	}
	if n == 1 {
		return
	}
	switch p := ways[w.pilot.choose(n)]; p {
	case nil:
	case me:
		w.kills--
		w.killed = true
		w.note("is killed")
		me.dead = true
		panic(killed{})
	default:
		w.spent++
		w.rouse(p)
		w.next = p
		w.pass(me)
	}
}

// pass hands over to the scheduler and comes back when it is me's turn.
func (w *world) pass(me *part) {
	if !me.yield(struct{}{}) || me.dead {
		me.dead = true
		panic(killed{})
	}
}

// unlocked tells whether the running part holds none of the locks for which
// another one would wait in earnest.
func (w *world) unlocked() bool {
	for _, mu := range w.locks {
		if !mu.TryLock() {
			return false
		}
		mu.Unlock()
	}
	return true
}

func (w *world) note(format string, args ...any) {
	if w.current != nil {
		w.trace = append(w.trace, event{part: w.current, note: fmt.Sprintf(format, args...)})
	}
}

// The kernel of this world.

func (w *world) Wait(word *uint32, v uint32, d time.Duration) error {
	return w.sleep([2]*uint32{word}, [2]uint32{v}, d)
}

func (w *world) WaitEither(shared *uint32, v uint32, own *uint32, ownV uint32, d time.Duration) error {
	return w.sleep([2]*uint32{shared, own}, [2]uint32{v, ownV}, d)
}

var errNobodySleeps = errors.New("asleep outside of a schedule: nobody would wake the script")

func (w *world) sleep(words [2]*uint32, values [2]uint32, d time.Duration) error {
	me := w.current
	if me == nil {
		return errNobodySleeps
	}
	w.step(accessSleep, words[0])
	for i, word := range words {
		if word != nil && *word != values[i] {
			return nil
		}
	}
	me.asleep, me.timedOut = words, false
	me.bounded = d >= 0 && d < time.Minute
	w.note("sleeps on %s", w.wordName(words[0]))
	w.pass(me)
	if me.timedOut {
		return futex.ErrTimeout
	}
	return nil
}

func (w *world) CanWaitEither() bool { return true }

func (w *world) Wake(word *uint32) {
	w.step(accessWake, word)
	for _, p := range w.parts {
		if p.sleeps() && (p.asleep[0] == word || p.asleep[1] == word) {
			p.asleep = [2]*uint32{}
		}
	}
}

func (w *world) WakeOwn(word *uint32) { w.Wake(word) }

func (w *world) Barrier() error {
	if w.current != nil && w.refused[w.current.name] {
		return errRefused
	}
	return nil
}

// Sleep is for loops that look again and again: not before somebody else has
// made a step.
func (w *world) Sleep(time.Duration) {
	if me := w.current; me != nil {
		me.napping = w.steps
		w.pass(me)
	}
}

var errRefused = errors.New("refused by the schedule")

// story tells the last steps of a run.
func (w *world) story() string {
	var b strings.Builder
	from := max(0, len(w.trace)-150)
	if from > 0 {
		fmt.Fprintf(&b, "  … %d steps before\n", from)
	}
	for _, e := range w.trace[from:] {
		who := "script"
		if e.part != nil {
			who = e.part.name
		}
		if e.note != "" {
			fmt.Fprintf(&b, "  %-10s %s\n", who, e.note)
		} else if e.kind != accessMark {
			fmt.Fprintf(&b, "  %-10s %s %s\n", who, kindNames[e.kind], w.wordName(e.p))
		}
	}
	return b.String()
}

var kindNames = [...]string{"loads", "stores", "fences", "marks", "fills", "copies", "looks once more, to sleep, at", "wakes"}

func (w *world) wordName(p *uint32) string {
	if p == nil {
		return ""
	}
	if name := w.chart.name(p); name != "" {
		return name
	}
	if off := place(p) - w.chart.base; off < uintptr(len(w.mem)) {
		return fmt.Sprintf("a word for statistics at %d", off)
	}
	return "the alarm"
}

// thorough goes through all schedules with so many preemptions at most, depth
// first, by running the script again for each.
type thorough struct {
	bound int
	path  []fork
	depth int
}

type fork struct{ taken, ways int }

func (t *thorough) preemptions() int { return t.bound }

func (t *thorough) choose(n int) int {
	if n == 1 {
		return 0
	}
	if t.depth == len(t.path) {
		t.path = append(t.path, fork{0, n})
	}
	f := t.path[t.depth]
	if f.ways != n {
		panic(wrong{fmt.Errorf("the script does not repeat: %d ways at choice %d, %d before", n, t.depth, f.ways)})
	}
	t.depth++
	return f.taken
}

// again prepares the next run; false: there is none.
func (t *thorough) again() bool {
	t.depth = 0
	for len(t.path) > 0 {
		last := &t.path[len(t.path)-1]
		if last.taken++; last.taken < last.ways {
			return true
		}
		t.path = t.path[:len(t.path)-1]
	}
	return false
}

// wanderer takes schedules at random.
type wanderer struct {
	*rand.Rand
	rare int // one in so many choices is not the first
}

func (r wanderer) preemptions() int { return 1 << 30 }
func (r wanderer) choose(n int) int {
	if r.IntN(r.rare) != 0 {
		return 0
	}
	return r.IntN(n)
}

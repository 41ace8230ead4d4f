package main

import (
	"errors"
	"fmt"
	"hash/crc64"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/carousel-ipc/carousel/internal/monotonic"
)

// A row is one kind of torture, repeated.
type row struct {
	id, what    string
	quick, long int
	bound       time.Duration      // of the delays that are judged; 0: none are
	patience    time.Duration      // for the quick count; a row that takes longer hangs
	missing     func() string      // why it cannot be had here; nil or "": it can
	run         func(*tally) error // an error is a failure that ends the row
}

// A tally is what becomes of a row.
type tally struct {
	row
	want  int // trials
	quick bool
	rng   *rand.Rand
	seed  uint64
	took  time.Duration
	until time.Time // no trial begins later; zero: all do

	controls *controls
	skipped  string

	mu       sync.Mutex
	trials   int
	failures []string
	failed   int
	slow     int // of them, by nothing but the time that they took
	delays   []delay
	worst    time.Duration
	notes    []string
	times    []time.Duration // of what a row says the median
}

// A delay is from one moment to another on the clock that processes share.
type delay struct {
	from, to int64
	what     string
}

func (r row) try(count int, limit time.Duration, seed uint64, quick bool, c *controls) *tally {
	// Each row has random numbers of its own, so that one alone can be replayed.
	t := &tally{row: r, want: count, quick: quick, seed: seed, controls: c}
	t.rng = rand.New(rand.NewPCG(seed, crc64.Checksum([]byte(r.id), crc64.MakeTable(crc64.ECMA))))
	if r.missing != nil {
		t.skipped = r.missing()
	}
	if t.skipped != "" {
		fmt.Fprintf(os.Stderr, "%s: SKIP: %s\n", r.id, t.skipped)
		return t
	}
	fmt.Fprintf(os.Stderr, "%s: %s, %d\n", r.id, r.what, count)
	most := r.patience
	if !quick || count > r.quick {
		most = max(most*time.Duration(1+count/max(r.quick, 1)), time.Minute)
	}
	if limit > 0 {
		t.until = time.Now().Add(limit)
	}
	done := make(chan struct{})
	defer close(done)
	go t.watch(most, done)
	start := time.Now()
	if err := r.run(t); err != nil {
		t.fail("ended early: %v", err)
	}
	t.judge()
	t.took = time.Since(start)
	left, _ := filepath.Glob("/dev/shm/" + prefix() + "*")
	if len(left) > 0 {
		t.fail("wanted nothing left behind, found %q", left)
		sweep()
	}
	return t
}

// watch ends everything when the row is not done in time.
func (t *tally) watch(most time.Duration, done <-chan struct{}) {
	for p := patient(most); ; {
		select {
		case <-done:
			return
		case <-time.After(10 * time.Millisecond):
		}
		if p.over() {
			fmt.Fprintf(os.Stderr, "%s: hangs: not done after %v, trial %d of seed %d\n", t.id, most, t.trials, t.seed)
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
			sweep()
			os.Exit(1)
		}
	}
}

// trial begins the next one and tells whether there is one to begin.
func (t *tally) trial() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.trials >= t.want || t.failed >= 20 || t.late() {
		return false
	}
	t.trials++
	return true
}

// late tells whether the time that was given is over: the row has as many
// trials as fitted.
func (t *tally) late() bool { return !t.until.IsZero() && time.Now().After(t.until) }

// counted adds trials that were not begun one by one.
func (t *tally) counted(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trials += n
}

// fail notes that the present trial failed.
func (t *tally) fail(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed++
	text := fmt.Sprintf("trial %d: ", t.trials) + fmt.Sprintf(format, args...)
	if len(t.failures) < 10 {
		t.failures = append(t.failures, text)
	}
	fmt.Fprintf(os.Stderr, "%s: %s\n", t.id, text)
}

// note says something below the table.
func (t *tally) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// delayed notes a delay, to be judged when the controls have told what they
// know of it.
func (t *tally) delayed(from, to int64, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	took := time.Duration(to - from)
	if took > t.bound {
		t.delays = append(t.delays, delay{from, to, fmt.Sprintf("trial %d: %s", t.trials, what)})
	} else {
		t.worst = max(t.worst, took)
	}
}

// since is delayed until now.
func (t *tally) since(from int64, what string) { t.delayed(from, monotonic.Now(), what) }

// judge takes from each delay that was too long what the controls say of it.
func (t *tally) judge() {
	if len(t.delays) == 0 {
		return
	}
	t.controls.caughtUp()
	excused := 0
	for _, d := range t.delays {
		whole, late := time.Duration(d.to-d.from), t.controls.stalled(d.from, d.to)
		took := whole - late
		if took > t.bound && late < whole/2 {
			t.worst = max(t.worst, took)
			t.slow++
			t.fail("%s took %v, want at most %v; the controls were late for %v of %v", d.what, took, t.bound, late, whole)
		} else {
			excused++
			t.worst = max(t.worst, min(took, t.bound))
		}
	}
	if excused > 0 {
		t.note("%d delays beyond %v in which the controls were late, too", excused, t.bound)
	}
}

// patience is for waits that must end. It counts turns of its own and not
// time: whoever stops this program and its children for a while takes none of
// it away.
type patience struct {
	left time.Duration
	last time.Time
}

func patient(d time.Duration) *patience { return &patience{left: d, last: time.Now()} }

// over is asked every few milliseconds at the latest.
func (p *patience) over() bool {
	now := time.Now()
	p.left -= min(now.Sub(p.last), 20*time.Millisecond)
	p.last = now
	return p.left < 0
}

var errPatience = errors.New("waited 10 s")

// await polls until ok.
func await(what string, ok func() bool) error {
	for p := patient(10 * time.Second); !ok(); time.Sleep(50 * time.Microsecond) {
		if p.over() {
			return fmt.Errorf("%w for %s", errPatience, what)
		}
	}
	return nil
}

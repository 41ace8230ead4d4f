//go:build explore

package ring

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/futex"
)

// under runs a script under one schedule.
func (s script) under(c *chart, p pilot, revisit bool) (w *play, err error) {
	if s.fenced {
		defer futex.Restrict(false, true)()
	}
	if s.eager {
		defer wakesToFence(1)()
	}
	w = &play{world: newWorld(s.stage, c, p), ends: map[uint64]bool{}}
	w.marks = s.marks
	w.r = s.stage.ring()
	defer func() {
		if x, ok := recover().(wrong); ok {
			err = x.error
		}
	}()
	s.perform(w)
	if err := w.run(); err != nil {
		return w, err
	}
	return w, w.probe(revisit)
}

// CAROUSEL_BOUND adds preemptions to what each script has in a short run.
func bound(n int) int {
	more, _ := strconv.Atoi(os.Getenv("CAROUSEL_BOUND"))
	return n + more
}

// clockless takes out what depends on time, so that schedules repeat: sleeps
// have no bound, and deaths are told by notices only.
func clockless(t *testing.T) {
	bound, interval := sleepBound, lockInterval
	sleepBound, lockInterval = -1, math.MaxInt64
	t.Cleanup(func() { sleepBound, lockInterval = bound, interval })
}

// explore goes through all schedules of a script. What is disputed between the
// parts is found out on the way: should there be more at the end, all over.
func (s script) explore() (schedules, steps int, err error) {
	chart := s.stage.chart()
	for i := range 60 {
		if w, err := s.under(chart, wanderer{rand.New(rand.NewPCG(1, uint64(i))), 2 + i%8}, false); err != nil {
			return 1, w.steps, fmt.Errorf("%w\n%s", err, w.story())
		}
	}
	for first := true; chart.settle() || first; first = false {
		pilot := &thorough{bound: bound(s.bound)}
		for more := true; more; more = pilot.again() {
			w, err := s.under(chart, pilot, schedules%16 == 0)
			schedules++
			steps += w.steps
			if err != nil {
				return schedules, steps, fmt.Errorf("%w\n%s", err, w.story())
			}
		}
	}
	return schedules, steps, nil
}

func TestEveryScheduleKeepsThePromises(t *testing.T) {
	clockless(t)
	runs, steps := 0, 0
	begin := time.Now()
	for _, s := range scripts() {
		t.Run(s.name, func(t *testing.T) {
			start := time.Now()
			n, m, err := s.explore()
			if err != nil {
				t.Fatalf("schedule %d: %v", n, err)
			}
			runs, steps = runs+n, steps+m
			t.Logf("%7d schedules with up to %d preemptions, %9d steps, %v", n, bound(s.bound), m, time.Since(start).Round(time.Millisecond))
		})
	}
	t.Logf("%d schedules, %d steps, %v", runs, steps, time.Since(begin).Round(time.Millisecond))
}

var (
	seedFlag  = flag.Uint64("seed", 0, "of random tests; 0: a new one")
	walksFlag = flag.Int("walks", 200, "random schedules for each script")
)

// seed is printed, so that a run can be repeated with -seed.
func seed(t testing.TB) uint64 {
	s := *seedFlag
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("-seed %d", s)
	return s
}

func TestRandomSchedulesKeepThePromises(t *testing.T) {
	clockless(t)
	s0 := seed(t)
	for _, s := range scripts() {
		chart := s.stage.chart()
		chart.all()
		for i := range *walksFlag {
			pilot := wanderer{rand.New(rand.NewPCG(s0, uint64(i))), 3 + i%20}
			if w, err := s.under(chart, pilot, i%16 == 0); err != nil {
				t.Fatalf("%s, walk %d of seed %d: %v\n%s", s.name, i, s0, err, w.story())
			}
		}
	}
}

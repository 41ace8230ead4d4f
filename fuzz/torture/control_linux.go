package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/internal/monotonic"
)

const (
	controlTick = time.Millisecond
	controlLate = 2 * time.Millisecond // what a control tells of
)

// controlRole wakes by timer on one processor and tells when it was late, and
// now and then that it is there.
func controlRole(args []string) error {
	cpu, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("take processor %d: %w", cpu, err)
	}
	said := int64(0)
	for {
		due := monotonic.Now() + int64(controlTick)
		// The kernel's own timer: Go's would wait for a thread of the runtime.
		ts := unix.NsecToTimespec(int64(controlTick))
		_ = unix.Nanosleep(&ts, nil)
		now := monotonic.Now()
		if now-due > int64(controlLate) {
			fmt.Println(due, now)
		} else if now-said > int64(50*time.Millisecond) {
			fmt.Println(now, now)
			said = now
		}
	}
}

// controls are the control processes, one on each processor.
type controls struct {
	all []*child

	mu     sync.Mutex
	heard  []int64 // from each, up to when
	stalls []span  // of any, in the order in which they were told
}

type span struct{ from, to int64 }

func startControls() (*controls, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, err
	}
	c := &controls{}
	for cpu := range 1024 {
		if !set.IsSet(cpu) {
			continue
		}
		p, err := startChild("control", strconv.Itoa(cpu))
		if err != nil {
			c.stop()
			return nil, err
		}
		c.mu.Lock()
		i := len(c.all)
		c.all, c.heard = append(c.all, p), append(c.heard, 0)
		c.mu.Unlock()
		go func() {
			for line := range p.out {
				var s span
				if _, err := fmt.Sscan(line, &s.from, &s.to); err == nil {
					c.hear(i, s)
				}
			}
		}()
	}
	return c, nil
}

func (c *controls) hear(i int, s span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard[i] = s.to
	if s.to > s.from {
		c.stalls = append(c.stalls, s)
	}
}

// caughtUp waits until all have told of everything before now.
func (c *controls) caughtUp() {
	now := monotonic.Now()
	_ = await("the controls", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return !slices.ContainsFunc(c.heard, func(at int64) bool { return at < now })
	})
}

// stalled is how much of a span one control or another was late for.
func (c *controls) stalled(from, to int64) (late time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var cut []span
	for _, s := range c.stalls {
		if s.to > from && s.from < to {
			cut = append(cut, span{max(s.from, from), min(s.to, to)})
		}
	}
	slices.SortFunc(cut, func(a, b span) int { return int(a.from - b.from) })
	for _, s := range cut {
		if from = max(from, s.from); s.to > from {
			late += time.Duration(s.to - from)
			from = s.to
		}
	}
	return late
}

func (c *controls) stop() {
	for _, p := range c.all {
		p.kill()
	}
}

func (c *controls) print(w io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var worst, sum time.Duration
	for _, s := range c.stalls {
		worst, sum = max(worst, time.Duration(s.to-s.from)), sum+time.Duration(s.to-s.from)
	}
	fmt.Fprintf(w, "controls: %d wakes by timer more than %v late, by %s at most, %s in all, on %d processors\n",
		len(c.stalls), controlLate, short(worst), short(sum), len(c.all))
}

package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// demoView shows a demoState: on a terminal as a table that is drawn over
// itself, elsewhere as a table once a second.
type demoView struct {
	w      io.Writer
	state  *demoState
	live   bool // the cursor may be moved
	colour bool

	mu     sync.Mutex // guards writing
	height int        // lines of the table that stands there
	told   int        // events written, when not live
	stop   chan struct{}
	done   chan struct{}
	once   sync.Once
}

func newDemoView(w io.Writer, s *demoState) *demoView {
	v := &demoView{w: w, state: s}
	v.live = isTerminal(w) && os.Getenv("TERM") != "dumb" && os.Getenv("TERM") != ""
	v.colour = v.live && os.Getenv("NO_COLOR") == ""
	return v
}

// Modest colours.
const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

func (v *demoView) paint(colour, s string) string {
	if !v.colour || s == "" {
		return s
	}
	return colour + s + plain
}

// begin writes the headline and begins to show the table.
func (v *demoView) begin() {
	fmt.Fprintf(v.w, "%s\n", v.paint(bold, "Carousel demo: one producer, three consumer processes, one ring in shared memory"))
	fmt.Fprintf(v.w, "%s records of %d bytes a second for %v through %s.\n",
		grouped(demoRate), demoSize, demoLength, v.state.url)
	fmt.Fprintf(v.w, "After %v the process %q is killed with -9: watch the others not noticing.\n", demoKill, demoConsumers[0].name)
	fmt.Fprintf(v.w, "p50 and p99 are how old records were when they were read, in the last %v.\n\n", demoReports)
	v.stop, v.done = make(chan struct{}), make(chan struct{})
	every := time.Second
	if v.live {
		every = demoRedraw
	}
	go func() {
		defer close(v.done)
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			v.draw()
			select {
			case <-v.stop:
				v.draw()
				return
			case <-t.C:
			}
		}
	}()
}

// close draws the table for the last time.
func (v *demoView) close() {
	v.once.Do(func() {
		if v.stop != nil {
			close(v.stop)
			<-v.done
		}
	})
}

func (v *demoView) draw() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.state.mu.Lock()
	table := v.table()
	events := v.state.events
	begun := v.state.at() >= demoSettled
	v.state.mu.Unlock()
	var b strings.Builder
	if !v.live {
		for ; v.told < len(events); v.told++ {
			b.WriteString(events[v.told] + "\n")
		}
		if begun {
			b.WriteString(strings.Join(table, "\n") + "\n\n")
		}
		io.WriteString(v.w, b.String())
		return
	}
	lines := append(table, "")
	for _, e := range events {
		lines = append(lines, v.paint(yellow, e))
	}
	if v.height > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", v.height)
	}
	for _, l := range lines {
		b.WriteString(l + "\x1b[K\n")
	}
	v.height = len(lines)
	io.WriteString(v.w, b.String())
}

// demoSettled is how long it takes until a rate means anything.
const demoSettled = 200 * time.Millisecond

const (
	demoHeading = "%-11s %7s  %-14s %-10s %9s %9s %7s %9s %7s %7s"
	demoRow     = "%-11s %7d  %-14s %s %9s %9s %7s %9s %7s %7s"
)

// table is the picture of now. The caller holds the state's mutex.
func (v *demoView) table() []string {
	s := v.state
	at := min(s.at(), demoLength)
	published := s.published.records.Load()
	speed := "-"
	if at >= demoSettled {
		speed = scaled(s.rateOf(published), "") + "/s"
	}
	head := fmt.Sprintf("producer    %7d  %3.1f s   published %s   %s   %s",
		os.Getpid(), at.Seconds(), grouped(published), speed, waited(s.waits, s.longest))
	lines := []string{head, "",
		v.paint(dim, fmt.Sprintf(demoHeading, "consumer", "pid", "policy", "state", "received", "rate/s", "lag", "lost", "p50", "p99"))}
	for _, c := range s.children {
		state, colour := "running", green
		switch {
		case c.killed:
			state, colour = "killed -9", red
		case c.last.Error != "":
			state, colour = "failed", red
		case c.ended || c.last.Final:
			state, colour = "finished", plain
		}
		rate, lag, p50, p99 := scaled(c.rate, ""), grouped(c.lag), brief(c.p50), brief(c.p99)
		if c.killed || c.ended {
			rate, lag = "-", "-"
		}
		lost := fmt.Sprintf("%9s", grouped(c.last.Lost))
		lines = append(lines, fmt.Sprintf(demoRow, c.name, c.pid(), c.policy, v.paint(colour, fmt.Sprintf("%-10s", state)),
			grouped(c.last.Received), rate, lag, lost, p50, p99))
	}
	return lines
}

// rateOf is the average rate of the stream so far. The caller holds the mutex.
func (s *demoState) rateOf(published uint64) float64 {
	d := min(s.at(), demoLength).Seconds()
	if d <= 0 {
		return 0
	}
	return float64(published) / d
}

// verdict writes what the checks came to and returns the exit code.
func (v *demoView) verdict(checks []check) int {
	fmt.Fprintln(v.w)
	good := true
	for _, c := range checks {
		mark := v.paint(green, "ok  ")
		if !c.ok {
			mark, good = v.paint(red, "FAIL"), false
		}
		fmt.Fprintf(v.w, "  %s  %s\n", mark, c.text)
	}
	if !good {
		fmt.Fprintf(v.w, "%s\n", v.paint(bold+red, "verdict: FAILED"))
		return exitError
	}
	fmt.Fprintf(v.w, "%s\n", v.paint(bold+green, "verdict: one consumer died, and nobody else noticed"))
	return exitOK
}

// brief is a latency in at most 6 columns: "740ns", "3.4µs", "12ms".
func brief(ns int64) string {
	switch {
	case ns <= 0:
		return "-"
	case ns < 1000:
		return strconv.FormatInt(ns, 10) + "ns"
	}
	x, unit := float64(ns)/1e3, "µs"
	for _, u := range []string{"ms", "s"} {
		if x < 999.5 {
			break
		}
		x, unit = x/1e3, u
	}
	if x < 9.95 {
		return fmt.Sprintf("%.1f%s", x, unit)
	}
	return fmt.Sprintf("%.0f%s", x, unit)
}

// grouped is n with its thousands marked off.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

//go:build linux && !carousel_portable

package ring

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/internal/confined"
)

// confinedChild is a process with which a line at a time is exchanged.
type confinedChild struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.Writer
	out chan string
}

func startConfined(t *testing.T, place confined.Place, binary, role string, env []string) *confinedChild {
	t.Helper()
	c := &confinedChild{t: t, cmd: confined.CommandBy(binary, place, binary), out: make(chan string, 8)}
	c.cmd.Env = append(append(c.cmd.Env, roleEnv+"="+role), env...)
	c.cmd.Dir = "/"
	var said lines
	c.cmd.Stderr = &said
	in, err := c.cmd.StdinPipe()
	must(t, err)
	out, err := c.cmd.StdoutPipe()
	must(t, err)
	must(t, c.cmd.Start())
	c.in = in
	go func() {
		defer close(c.out)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			c.out <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
		if text := said.String(); text != "" {
			t.Errorf("%s: %s", role, text)
		}
	})
	return c
}

// lines is what a child writes to its standard error.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// hear is the next line that the child says.
func (c *confinedChild) hear() string {
	c.t.Helper()
	select {
	case text, ok := <-c.out:
		if !ok {
			c.t.Fatal("a child ended early")
		}
		return text
	case <-time.After(30 * time.Second):
		c.t.Fatal("a child hangs: a lost wake, or a sleep that nothing ends")
		return ""
	}
}

// tell lets the child go on.
func (c *confinedChild) tell() {
	c.t.Helper()
	_, err := fmt.Fprintln(c.in)
	must(c.t, err)
}

// durations are how long it took, by what, over all pairs.
type durations struct {
	mu    sync.Mutex
	times map[string][]time.Duration
}

// add notes durations, and fails where one is no matter of a busy machine any more.
func (n *durations) add(t *testing.T, pair, what, list string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, text := range strings.Fields(list) {
		d, err := time.ParseDuration(text)
		if err != nil || d > time.Second {
			t.Errorf("%s, %s: %s, want less than 1s (%v)", pair, what, list, err)
		}
		if n.times == nil {
			n.times = map[string][]time.Duration{}
		}
		n.times[what] = append(n.times[what], d)
	}
}

// judge: what must not take long took at most 50 ms one time out of two. The
// rest may be the fault of a busy machine.
func (n *durations) judge(t *testing.T) {
	for what, d := range n.times {
		slices.Sort(d)
		median, p90 := d[len(d)/2], d[len(d)*9/10]
		t.Logf("%s: %v (median), %v (p90), %v (worst of %d)", what, median, p90, d[len(d)-1], len(d))
		if median > 50*time.Millisecond {
			t.Errorf("%s: %v (median), want at most 50ms", what, median)
		}
	}
}

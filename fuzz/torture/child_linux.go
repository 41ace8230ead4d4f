package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A child is a copy of this program in a part of its own. It tells lines, and
// ends with its standard input, whatever becomes of its parent.
type child struct {
	*exec.Cmd
	role   string
	in     io.WriteCloser
	out    chan string
	stderr lockedBuffer
	reaped sync.Once
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func startChild(role string, args ...string) (*child, error) {
	return startChildAs(nil, role, args...)
}

func startChildAs(attr *syscall.SysProcAttr, role string, args ...string) (*child, error) {
	c := &child{Cmd: exec.Command(os.Args[0], args...), role: role, out: make(chan string, 64)}
	c.Env = append(os.Environ(), roleEnv+"="+role)
	c.Stderr = &c.stderr
	c.SysProcAttr = attr
	c.WaitDelay = time.Second
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	c.in = in
	go func() {
		defer close(c.out)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			c.out <- lines.Text()
		}
	}()
	return c, nil
}

// hear is the next line that the child says.
func (c *child) hear() (string, error) {
	for p := patient(10 * time.Second); !p.over(); {
		select {
		case line, ok := <-c.out:
			if !ok {
				return "", fmt.Errorf("%s ended early: %s", c.role, strings.TrimSpace(c.stderr.String()))
			}
			return line, nil
		case <-time.After(10 * time.Millisecond):
		}
	}
	// Where does it hang? The runtime tells, and ends it.
	_ = c.signal(syscall.SIGCONT)
	_ = c.signal(syscall.SIGQUIT)
	c.reap()
	return "", fmt.Errorf("%s: %w for a line: %s", c.role, errPatience, c.stderr.String())
}

// expect hears a line and compares.
func (c *child) expect(want string) error {
	got, err := c.hear()
	if err == nil && got != want {
		err = fmt.Errorf("%s says %q, want %q", c.role, got, want)
	}
	return err
}

// tell says a line to the child.
func (c *child) tell(line string) error {
	_, err := fmt.Fprintln(c.in, line)
	return err
}

func (c *child) signal(s syscall.Signal) error { return c.Process.Signal(s) }

// kill ends it with -9 and returns when it is no more.
func (c *child) kill() {
	_ = c.Process.Kill()
	c.reap()
}

// reap waits for its end and returns its code.
func (c *child) reap() int {
	c.reaped.Do(func() {
		for range c.out { // so that nothing is left unread
		}
		_ = c.Wait()
		_ = c.in.Close()
	})
	return c.ProcessState.ExitCode()
}

// asks are the lines that the parent tells; endWithParent reads them.
var asks = make(chan string, 16)

func endWithParent() {
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			asks <- in.Text()
		}
		os.Exit(3)
	}()
}

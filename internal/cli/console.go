package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// console is standard error: lines of their own, and one progress line that is
// drawn over itself and erased before anything else is written.
type console struct {
	mu    sync.Mutex
	w     io.Writer
	name  string // of the command, before each note
	drawn int    // columns of the progress line that stands there now
	stop  chan struct{}
	done  chan struct{}
}

func newConsole(w io.Writer, name string) *console { return &console{w: w, name: name} }

// note writes a line for people.
func (c *console) note(format string, args ...any) {
	c.print(c.name + ": " + strings.TrimRight(fmt.Sprintf(format, args...), "\n") + "\n")
}

// print writes text as it is, whole lines.
func (c *console) print(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.erase()
	io.WriteString(c.w, text)
}

func (c *console) erase() {
	if c.drawn > 0 {
		io.WriteString(c.w, "\r"+strings.Repeat(" ", c.drawn)+"\r")
		c.drawn = 0
	}
}

// interval is between two progress lines: ten a second.
const interval = 100 * time.Millisecond

// progress draws line ten times a second until quiet.
func (c *console) progress(line func() string) {
	c.stop, c.done = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(c.done)
		t := time.NewTicker(interval)
		defer t.Stop()
		for {
			select {
			case <-c.stop:
				return
			case <-t.C:
			}
			c.draw(line())
		}
	}()
}

func (c *console) draw(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len([]rune(text))
	io.WriteString(c.w, "\r"+text+strings.Repeat(" ", max(0, c.drawn-n)))
	c.drawn = n
}

// quiet ends the progress line and erases it.
func (c *console) quiet() {
	if c.stop != nil {
		close(c.stop)
		<-c.done
		c.stop = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.erase()
}

// isTerminal tells whether somebody is likely to look at f: a character device
// that is not the null device.
func isTerminal(f any) bool {
	file, ok := f.(*os.File)
	if !ok {
		return false
	}
	st, err := file.Stat()
	if err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(st, null)
}

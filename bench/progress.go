package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress is a line on a terminal that says what is being measured and how
// much longer it takes. Elsewhere it is a line every ten seconds.
type progress struct {
	w        io.Writer
	terminal bool
	start    time.Time
	last     time.Duration
}

const seldom = 10 * time.Second

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, start: time.Now()}
	if f, ok := w.(*os.File); ok {
		st, err := f.Stat()
		p.terminal = err == nil && st.Mode()&os.ModeCharDevice != 0
	}
	return p
}

func (p *progress) show(done, all int, what string) {
	spent := time.Since(p.start)
	left := "?"
	if done > 0 {
		left = (spent * time.Duration(all-done) / time.Duration(done)).Round(time.Second).String()
	}
	text := fmt.Sprintf("%3d %%, %s left, %s", 100*done/all, left, what)
	switch {
	case p.terminal:
		fmt.Fprintf(p.w, "\r\x1b[K%.*s", 110, text)
	case spent-p.last >= seldom:
		p.last = spent
		fmt.Fprintln(p.w, text)
	}
}

// note says something that is to stay.
func (p *progress) note(what string) {
	p.done()
	fmt.Fprintln(p.w, what)
}

func (p *progress) done() {
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

package side

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
)

// Missing is the exit status of a side whose machine has not what it needs.
const Missing = 3

// Main does the job and returns the exit status of the process. find returns
// the contestant of that name.
func Main(job string, find func(name string) (Contestant, bool)) int {
	// The bench holds the other end of standard input for as long as it lives:
	// nobody goes on without it, however it ends.
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	o, err := perform(job, find)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(o)
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrMissing), errors.Is(err, errors.ErrUnsupported):
		fmt.Fprintln(os.Stderr, err)
		return Missing
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func perform(text string, find func(name string) (Contestant, bool)) (o Outcome, err error) {
	j, err := ParseJob(text)
	if err != nil {
		return o, err
	}
	if j.Trace {
		return traced(j)
	}
	c, ok := find(j.Contestant)
	if !ok {
		return o, fmt.Errorf("wanted a contestant, found %q", j.Contestant)
	}
	w, ok := works[j.Work]
	if !ok {
		return o, fmt.Errorf("wanted a work, found %q", j.Work)
	}
	// No collection in the middle of a measurement; what needs memory without
	// end gets one all the same.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(1 << 30)
	if c.Pair != nil {
		return performBoth(j, c, w)
	}
	if w.all != nil && j.Side > 0 {
		return w.all(c, j)
	}
	end, err := c.Join(j)
	if err != nil {
		return o, err
	}
	if err := settle(j, c); err != nil {
		return o, err
	}
	return w.sides[min(j.Side, 1)](end, j)
}

// settle puts the process where it belongs. A process that is started on one
// CPU has a GOMAXPROCS of 1 and would not spin; pinned later it would get that
// within a second, in the middle of the measurement, unless it is said.
func settle(j Job, c Contestant) error {
	runtime.GOMAXPROCS(runtime.NumCPU())
	if !c.Loose {
		runtime.LockOSThread()
	}
	if len(j.CPUs) == 0 {
		return nil
	}
	return pin(j.CPUs)
}

func performBoth(j Job, c Contestant, w work) (o Outcome, err error) {
	ends, err := c.Pair(j)
	if err != nil {
		return o, err
	}
	if err := settle(j, c); err != nil {
		return o, err
	}
	type result struct {
		Outcome
		error
	}
	received := make(chan result)
	go func() {
		if !c.Loose {
			runtime.LockOSThread()
		}
		o, err := w.sides[1](ends[1], j)
		received <- result{o, err}
	}()
	o, err = w.sides[0](ends[0], j)
	if err != nil {
		return o, err // the process ends, and so does the other side
	}
	r := <-received
	if r.error == nil && r.Messages != o.Messages {
		r.error = fmt.Errorf("wanted as many messages received as sent, found %d and %d", r.Messages, o.Messages)
	}
	for name, v := range r.Values {
		o.set(name, v)
	}
	return o, r.error
}

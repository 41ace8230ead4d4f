package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"
)

// jobVariable holds the job of a process that is one side of a measurement.
const jobVariable = "CAROUSEL_BENCH_JOB"

// firstFile is the descriptor of the first inherited file.
const firstFile = 3

// A job is what the parent tells a side.
type job struct {
	Entry string
	Side  int
	Link  string
	Span  time.Duration
	CPU   int
}

// child does the job and returns the exit status of its process.
func child(order string) int {
	// The parent holds the other end of standard input for as long as it lives:
	// nobody goes on without it, however it ends.
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	o, err := perform(order)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func perform(order string) (o outcome, err error) {
	var j job
	if err := json.Unmarshal([]byte(order), &j); err != nil {
		return o, err
	}
	i := slices.IndexFunc(program, func(e entry) bool { return e.String() == j.Entry })
	if i < 0 {
		return o, fmt.Errorf("no entry %q", j.Entry)
	}
	end, err := program[i].join(j)
	if err != nil {
		return o, err
	}
	if j.CPU != unpinned {
		// A process that is started on one CPU has a GOMAXPROCS of 1 and would
		// not spin. Pinned later it would get it within a second, in the middle
		// of the measurement, unless it is said.
		runtime.GOMAXPROCS(runtime.NumCPU())
		if err := pin(j.CPU); err != nil {
			return o, err
		}
	}
	return program[i].sides[j.Side](end, j.Span)
}

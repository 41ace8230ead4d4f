package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/carousel-ipc/carousel/bench/internal/native"
	"github.com/carousel-ipc/carousel/bench/internal/side"
)

func main() {
	if job, ok := os.LookupEnv(side.Variable); ok {
		os.Exit(child(job))
	}
	os.Exit(command(os.Args[1:], os.Stdout, os.Stderr))
}

// child is one side of a measurement.
func child(job string) int {
	return side.Main(job, func(name string) (side.Contestant, bool) {
		p := program()
		i := slices.IndexFunc(p, func(e entry) bool { return e.contestant.Name == name })
		if i < 0 {
			return side.Contestant{}, false
		}
		return p[i].Contestant, true
	})
}

func command(args []string, stdout, stderr io.Writer) int {
	o, status := parseOptions(args, stderr)
	if status >= 0 {
		return status
	}
	// Signals end the run in good order, which takes no time worth a second one.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	s, done, err := prepare(ctx, o)
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	defer done()
	entries, missing := o.entries(ctx, s)
	for _, m := range missing {
		fmt.Fprintln(stdout, "MISSING:", m)
	}
	h := readHost(s, o.rounds)
	h.Compiler = compiler(s)
	fmt.Fprintf(stdout, "%v\n%d rounds of %v, load %s before", h, o.rounds, s.span, h.LoadBefore)
	before := readUsage()
	results, probes := run(ctx, entries, o.rounds, s, newProgress(stderr))
	h.finish(results, probes, before)
	fmt.Fprintf(stdout, ", %s after, others took %.0f %% of the CPUs; cache line round trip %.0f ns [%.0f %.0f]\n", h.LoadAfter, h.Others, h.Probe.Median, h.Probe.Min, h.Probe.Max)
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "bench: interrupted")
		return 130
	}
	return o.show(h, results, stdout, stderr)
}

// prepare makes the folder of the run and the programs in it.
func prepare(ctx context.Context, o options) (s settings, done func(), err error) {
	dir, err := os.MkdirTemp("", "carousel-bench-")
	if err != nil {
		return s, nil, err
	}
	s = settings{prefix: filepath.Base(dir), dir: dir, span: o.span, cpus: o.cpus}
	s.native = native.Build(ctx, dir)
	return s, func() { os.RemoveAll(dir) }, os.Chmod(dir, 0o711)
}

// show prints and writes what was found, and returns the exit status.
func (o options) show(h host, results []result, stdout, stderr io.Writer) int {
	status := 0
	if o.goals {
		if !printGoals(stdout, goals(), results) {
			status = 1
		}
	} else {
		printTables(stdout, results)
		printMediaGoals(stdout, results)
		for _, r := range results {
			if r.failed != nil && !r.missing() {
				status = 1
			}
		}
	}
	r := newReport(h, results)
	for _, file := range []struct {
		name  string
		write func(string) error
	}{
		{o.json, r.write},
		{o.html, newPage(h, results).write},
		{o.svg, func(name string) error { return writePlot(name, results) }},
	} {
		if file.name == "" {
			continue
		}
		if err := file.write(file.name); err != nil {
			fmt.Fprintln(stderr, "bench:", err)
			status = 1
		}
	}
	return status
}

func compiler(s settings) string {
	switch {
	case s.native == nil:
		return "cc -O2"
	case errors.Is(s.native, native.ErrMissing):
		return "no C: " + s.native.Error()
	}
	return ""
}

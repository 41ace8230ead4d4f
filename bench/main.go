package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"
)

func main() {
	if order, ok := os.LookupEnv(jobVariable); ok {
		os.Exit(child(order))
	}
	os.Exit(command(os.Args[1:], os.Stdout, os.Stderr))
}

const usage = `Usage: go run ./bench [flags]

Measures the ring against pipe and Unix socket, between two processes. What the
workloads are, and what they do not tell: go doc ./bench.

`

// command runs the bench and returns the exit status: 0, 1 when something could
// not be measured, 2 for wrong flags, 130 when it was interrupted.
func command(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { io.WriteString(stderr, usage); flags.PrintDefaults() }
	quick := flags.Bool("quick", false, "3 rounds of short measurements, under 20 s in all")
	rounds := flags.Int("rounds", 0, "how often to measure everything (default 5)")
	only := flags.String("only", "", "measure what this `regexp` matches, of names such as \"W1 ring, publish each\"")
	cpuText := flags.String("cpus", "", "pin the two sides to the CPUs `A,B` (default: the first two)")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	pattern, err := regexp.Compile(*only)
	if err == nil && (flags.NArg() > 0 || *rounds < 0) {
		err = fmt.Errorf("wanted flags and at least one round, found %q", strings.Join(args, " "))
	}
	cpus, wrong := parseCPUs(*cpuText, allowedCPUs())
	if err = errors.Join(err, wrong); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	s := settings{prefix: fmt.Sprintf("carousel-bench-%d", os.Getpid()), span: 600 * time.Millisecond, cpus: cpus}
	if *quick {
		s.span = 250 * time.Millisecond
	}
	if *rounds == 0 && *quick {
		*rounds = 3
	} else if *rounds == 0 {
		*rounds = 5
	}

	// Signals end the run in good order, which takes no time worth a second one.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	fmt.Fprintf(stdout, "%s\n%d rounds of %v, load %s before", describeHost(cpus), *rounds, s.span, load())
	rows := run(ctx, matching(pattern), *rounds, s, newProgress(stderr))
	fmt.Fprintf(stdout, ", %s after\n", load())
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "bench: interrupted")
		return 130
	}
	printTable(stdout, rows)
	for _, r := range rows {
		if r.failed != nil && !errors.Is(r.failed, errors.ErrUnsupported) {
			return 1
		}
	}
	return 0
}

func matching(pattern *regexp.Regexp) (entries []entry) {
	for _, e := range program {
		if pattern.MatchString(e.String()) {
			entries = append(entries, e)
		}
	}
	return entries
}

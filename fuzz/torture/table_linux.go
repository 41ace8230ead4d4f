package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// printTable prints all rows, what failed and what is to be said of them, and
// tells whether anything failed.
func printTable(w io.Writer, all []*tally, seed uint64) (failed bool) {
	fmt.Fprintf(w, "\n%-3s %-62s %10s %8s %9s %9s %8s\n", "id", "what", "trials", "failures", "95% bound", "worst", "seconds")
	for _, t := range all {
		if t.skipped != "" {
			fmt.Fprintf(w, "%-3s %-62s SKIP: %s\n", t.id, t.what, t.skipped)
			continue
		}
		bound := "-"
		if t.failed == 0 && t.trials > 0 {
			bound = fmt.Sprintf("%.1e", 3/float64(t.trials))
		}
		worst := "-"
		if t.worst > 0 {
			worst = short(t.worst)
		}
		fmt.Fprintf(w, "%-3s %-62s %10d %8d %9s %9s %8.1f\n", t.id, t.what, t.trials, t.failed, bound, worst, t.took.Seconds())
		failed = failed || t.failed > 0 || t.trials == 0
	}
	fmt.Fprintf(w, "seed %d, %s, %d processors, Linux %s\n", seed, runtime.Version(), runtime.NumCPU(), release())
	for _, t := range all {
		for _, n := range t.notes {
			fmt.Fprintf(w, "%s: %s\n", t.id, n)
		}
		for _, f := range t.failures {
			fmt.Fprintf(w, "%s FAILED: %s\n", t.id, strings.ReplaceAll(f, "\n", "\n\t"))
		}
		if t.skipped == "" && t.trials == 0 {
			fmt.Fprintf(w, "%s FAILED: wanted trials, found none\n", t.id)
		}
	}
	return failed
}

func short(d time.Duration) string {
	switch {
	case d >= time.Second:
		d = d.Round(10 * time.Millisecond)
	case d >= time.Millisecond:
		d = d.Round(10 * time.Microsecond)
	default:
		d = d.Round(10 * time.Nanosecond)
	}
	return d.String()
}

func release() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}

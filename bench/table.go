package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// A row is one metric of one entry over all rounds.
type row struct {
	entry
	metric
	rounds []float64
	failed error // instead of the rounds
}

// spread returns the smallest, the middle and the largest of the rounds.
func (r row) spread() (low, median, high float64) {
	s := slices.Sorted(slices.Values(r.rounds))
	n := len(s)
	return s[0], (s[(n-1)/2] + s[n/2]) / 2, s[n-1]
}

// better returns how many times better r is than other.
func (r row) better(other row) float64 {
	_, mine, _ := r.spread()
	_, theirs, _ := other.spread()
	if r.less {
		return theirs / mine
	}
	return mine / theirs
}

// best returns the best of the plain rows with the metric of r.
func best(rows []row, r row) (found row, ok bool) {
	for _, other := range rows {
		if other.plain && other.failed == nil && other.workload.name == r.workload.name && other.metric == r.metric &&
			(!ok || other.better(found) > 1) {
			found, ok = other, true
		}
	}
	return found, ok
}

func printTable(w io.Writer, rows []row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	previous := ""
	for _, r := range rows {
		if title := fmt.Sprintf("%s, %s, %d B", r.workload.name, r.title, messageSize); title != previous {
			t.Flush()
			fmt.Fprintf(w, "\n%s\n", title)
			previous = title
		}
		name := "  " + r.contestant.name
		if r.failed != nil {
			fmt.Fprintf(t, "%s\t%v\n", name, r.failed)
			continue
		}
		low, median, high := r.spread()
		fmt.Fprintf(t, "%s\t%s\t%.*f %s\t[%.*f %.*f]", name,
			r.metric.name, r.digits, median, r.unit, r.digits, low, r.digits, high)
		if plain, ok := best(rows, r); ok {
			fmt.Fprintf(t, "\t%.3g x %s", r.better(plain), plain.contestant.name)
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}

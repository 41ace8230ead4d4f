package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// columns are the metrics that a table shows; the rest is in JSON.
func (r result) columns() []metric {
	switch {
	case ofMedia(r.workload):
		return r.metrics
	case r.work == oneWay.work && r.workload.name != oneToMany.name && r.size >= 1024:
		return []metric{bandwidth, rate}
	case r.workload.name == oneWay.name || r.workload.name == inProcess.name:
		return []metric{rate}
	}
	return r.metrics
}

// against returns how many times better r is than the best of the plain ones
// of its workload and size.
func (r result) against(results []result) string {
	m := r.columns()[0]
	mine, ok := r.median(m.name)
	if !ok || r.kind == limit {
		return ""
	}
	best, name := 0.0, ""
	for _, other := range results {
		if other.kind != plain || other.workload.name != r.workload.name || other.size != r.size {
			continue
		}
		theirs, ok := other.median(m.name)
		if !ok {
			continue
		}
		ratio := mine / theirs
		if m.less {
			ratio = theirs / mine
		}
		if name == "" || ratio < best {
			best, name = ratio, other.contestant.Name
		}
	}
	if name == "" {
		return ""
	}
	return fmt.Sprintf("%.3g x %s", best, name)
}

func printTables(w io.Writer, results []result) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	previous := ""
	for _, r := range results {
		if title := r.title(); title != previous {
			t.Flush()
			fmt.Fprintf(w, "\n%s\n", title)
			previous = title
		}
		name := "  " + r.label()
		if r.consumers > 1 {
			name += fmt.Sprintf(", N = %d", r.consumers)
		}
		if r.marked > 0 {
			name += " ~"
		}
		fmt.Fprintf(t, "%s\t%s\n", name, r.cells(results))
	}
	t.Flush()
	for _, r := range results {
		if r.marked > 0 {
			fmt.Fprintln(w, "\n~ the processors moved during a round, three times in a row: the cache line round trip changed by over 1.3 times")
			break
		}
	}
}

func (r result) title() string {
	if r.kind == limit && r.size != small {
		return fmt.Sprintf("%s, %s: limits of the machine", r.workload.name, r.workload.title)
	}
	return fmt.Sprintf("%s, %s, %d B", r.workload.name, r.workload.title, r.size)
}

func (r result) cells(results []result) string {
	switch {
	case r.missing():
		return "MISSING: " + r.reason()
	case r.failed != nil:
		return "FAILED: " + r.reason()
	}
	var cells []string
	for i, m := range r.columns() {
		values := r.rounds[m.name]
		if len(values) == 0 {
			continue
		}
		low, median, high := spread(values)
		cells = append(cells, m.name+" "+m.text(median))
		if i == 0 {
			cells = append(cells, fmt.Sprintf("[%s, %s]", m.text(low), m.text(high)))
		}
	}
	if against := r.against(results); against != "" {
		cells = append(cells, against)
	}
	return strings.Join(cells, "\t")
}

// reason is the first line of why it failed.
func (r result) reason() string {
	first, _, _ := strings.Cut(r.failed.Error(), "\n")
	return first
}

package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// A goal is one line of -goals: a figure and what it ought to be.
type goal struct {
	name   string
	bound  bound
	want   float64
	needs  []reading
	figure func(medians []float64) float64
}

type bound string

const (
	atLeast bound = ">="
	atMost  bound = "<="
	below   bound = "<"
	equal   bound = "="
	shown   bound = "" // no goal: to be seen
)

// A reading is one median that a figure is made of.
type reading struct {
	entry
	metric string
}

// ratio of two readings.
func ratio(m []float64) float64 { return m[0] / m[1] }

// verdict is a goal with what was found.
type verdict struct {
	goal
	value   float64
	missing string // what there is no figure of
	peer    bool   // it is a peer that is missing
}

// judge makes the figure of the medians.
func (g goal) judge(results []result) verdict {
	v := verdict{goal: g}
	var medians []float64
	for _, need := range g.needs {
		r := find(results, need.entry)
		m, ok := 0.0, false
		if r != nil {
			m, ok = r.median(need.metric)
		}
		if !ok {
			v.missing, v.peer = need.entry.String(), need.kind == foreign
			if r != nil && r.failed != nil {
				v.missing += " (" + r.reason() + ")"
			}
			return v
		}
		medians = append(medians, m)
	}
	v.value = g.figure(medians)
	return v
}

func find(results []result, e entry) *result {
	for i := range results {
		r := &results[i]
		if r.String() == e.String() && r.batch == e.batch {
			return r
		}
	}
	return nil
}

// ok: nothing was missed. What was not measured was, unless it is a peer.
func (v verdict) ok() bool {
	if v.missing != "" {
		return v.peer || v.bound == shown
	}
	// What is printed is what is judged.
	value := v.value
	fmt.Sscan(v.text(), &value)
	switch v.bound {
	case atLeast:
		return value >= v.want
	case atMost:
		return value <= v.want
	case below:
		return value < v.want
	case equal:
		return value == v.want
	}
	return true
}

// text has two decimals, or six where two would show next to nothing.
func (v verdict) text() string {
	if v.value < 0.01 {
		return fmt.Sprintf("%.6f", v.value)
	}
	return fmt.Sprintf("%.2f", v.value)
}

func (v verdict) word() string {
	switch {
	case v.missing != "":
		return "MISSING"
	case v.bound == shown:
		return ""
	case v.ok():
		return "ok"
	}
	return "missed"
}

// printGoals reports whether nothing was missed.
func printGoals(w io.Writer, goals []goal, results []result) bool {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	reached := true
	for _, g := range goals {
		v := g.judge(results)
		value, want := v.text(), fmt.Sprintf("%s %v", g.bound, g.want)
		if v.missing != "" {
			value = "-"
		}
		if g.bound == shown {
			want = "shown"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s", g.name, value, want, v.word())
		if v.missing != "" {
			fmt.Fprintf(t, ": %s", v.missing)
		}
		fmt.Fprintln(t)
		reached = reached && v.ok()
	}
	t.Flush()
	return reached
}

// entriesOf are what the goals need, each once, in the order of the program.
func entriesOf(goals []goal) (entries []entry) {
	seen := map[string]bool{}
	for _, g := range goals {
		for _, need := range g.needs {
			if key := fmt.Sprint(need.entry.String(), need.batch); !seen[key] {
				seen[key] = true
				entries = append(entries, need.entry)
			}
		}
	}
	return entries
}

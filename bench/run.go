package main

import (
	"context"
	"fmt"
	"io"
	"os"
)

// run measures the entries in interleaved rounds. What fails once is not tried
// again.
func run(ctx context.Context, entries []entry, rounds int, s settings, p progress) []row {
	values := make([]map[string][]float64, len(entries))
	failed := make([]error, len(entries))
	for round := range rounds {
		for i, e := range entries {
			if ctx.Err() != nil || failed[i] != nil {
				continue
			}
			p.show("round %d of %d: %v", round+1, rounds, e)
			var found map[string]float64
			if found, failed[i] = e.measure(ctx, s); values[i] == nil {
				values[i] = map[string][]float64{}
			}
			for name, v := range found {
				values[i][name] = append(values[i][name], v)
			}
		}
	}
	p.show("")
	var rows []row
	for i, e := range entries {
		for _, m := range e.metrics {
			rows = append(rows, row{entry: e, metric: m, rounds: values[i][m.name], failed: failed[i]})
		}
	}
	return rows
}

// progress is a line on a terminal that says what is being measured; nil: none.
type progress struct{ w io.Writer }

func newProgress(w io.Writer) progress {
	if f, ok := w.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			return progress{w}
		}
	}
	return progress{}
}

// show replaces the line.
func (p progress) show(format string, args ...any) {
	if p.w != nil {
		fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
	}
}

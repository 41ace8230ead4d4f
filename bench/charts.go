package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// What the report shows, made of results.

func (r result) point(m string, x int) (point, bool) {
	values := r.rounds[m]
	if len(values) == 0 {
		return point{}, false
	}
	least, median, most := spread(values)
	return point{x: x, y: median, least: least, most: most}, median > 0
}

// throughput is the one-way rate by size.
func throughput(results []result) *chart {
	c := &chart{xTitle: "bytes of a message", yTitle: "million messages a second", format: plainNumber}
	sizes := []int{}
	for _, r := range results {
		if r.workload.name == oneWay.name && r.kind != limit && !slices.Contains(sizes, r.size) {
			sizes = append(sizes, r.size)
		}
	}
	slices.Sort(sizes)
	for _, s := range sizes {
		c.x = append(c.x, inBytes(s))
	}
	// A contestant of a single size is no line among lines.
	count := map[string]int{}
	for _, r := range results {
		if r.workload.name == oneWay.name {
			count[r.label()]++
		}
	}
	for _, r := range results {
		if r.workload.name != oneWay.name || r.kind == limit || count[r.label()] == 1 && len(sizes) > 1 {
			continue
		}
		if p, ok := r.point("rate", slices.Index(sizes, r.size)); ok {
			c.add(r.label(), r.kind, p)
		}
	}
	for _, s := range c.series {
		slices.SortFunc(s.points, func(a, b point) int { return a.x - b.x })
	}
	return c
}

// percentileCurves are the latencies of the paced workloads, a chart each.
func percentileCurves(results []result) (charts []titled) {
	for _, w := range paced {
		c := &chart{xTitle: "share of messages", yTitle: "latency from when a message was due", format: duration}
		for _, m := range curve {
			c.x = append(c.x, m.name)
		}
		for _, r := range results {
			if r.workload.name != w.name {
				continue
			}
			for i, m := range curve {
				if p, ok := r.point(m.name, i); ok {
					c.add(r.label(), r.kind, p)
				}
			}
		}
		if len(c.series) > 0 {
			charts = append(charts, titled{fmt.Sprintf("%s messages a second", bigNumber(paceOf[w.name])), c})
		}
	}
	return charts
}

// titled is a chart of several.
type titled struct {
	Title string
	*chart
}

func scaling(results []result) *chart {
	c := &chart{xTitle: "consumers, each of which gets everything", yTitle: "million messages a second, published", format: plainNumber}
	for _, n := range audiences {
		c.x = append(c.x, strconv.Itoa(n))
	}
	for _, r := range results {
		if r.workload.name != oneToMany.name {
			continue
		}
		if p, ok := r.point("published", slices.Index(audiences, r.consumers)); ok {
			c.add(r.label(), r.kind, p)
		}
	}
	return c
}

// A distance is how far a contestant is from a limit: 1 is at it, more is worse.
type distance struct {
	Name   string
	Kind   kind
	Value  string
	Ratio  float64
	Width  float64 // of the bar, in percent
	Inside bool    // there is room for the text in the bar
}

// distances is a group of bars that share a limit.
type distances struct {
	Title, Limit string
	Bars         []distance
}

const shortest = 2 // percent of a bar at the limit

// toLimits compares with what the machine could do.
func toLimits(results []result) (groups []distances) {
	for _, g := range []struct {
		title string
		w     workload
		size  int
		limit contestant
		of    int // size of the limit
		m     metric
	}{
		{"Round trip of 64 bytes, both spinning", roundTrip, small, twoLines, small, latencies[0]},
		{"Round trip of 64 bytes, asleep, on one CPU", asleepSame, small, futexes, small, latencies[0]},
		{"Round trip of 64 bytes, asleep, on two CPUs", asleepApart, small, futexes, small, latencies[0]},
		{"One way, 64 KiB", oneWay, 65536, dirty, block, bandwidth},
	} {
		base := find(results, entry{workload: g.w, contestant: g.limit, size: g.of, batch: 1, consumers: 1})
		if base == nil {
			if base = find(results, entry{workload: oneWay, contestant: g.limit, size: g.of, batch: 1, consumers: 1}); base == nil {
				continue
			}
		}
		best, ok := base.median(g.m.name)
		if !ok || best <= 0 {
			continue
		}
		group := distances{Title: g.title, Limit: fmt.Sprintf("%s: %s", base.contestant.Name, g.m.text(best))}
		for _, r := range results {
			v, ok := r.median(g.m.name)
			if r.workload.name != g.w.name || r.size != g.size || r.kind == limit || !ok || v <= 0 {
				continue
			}
			d := distance{Name: r.label(), Kind: r.kind, Value: g.m.text(v), Ratio: v / best}
			if !g.m.less {
				d.Ratio = best / v
			}
			group.Bars = append(group.Bars, d)
		}
		slices.SortStableFunc(group.Bars, func(a, b distance) int {
			if a.Ratio < b.Ratio {
				return -1
			}
			return 1
		})
		group.scale()
		if len(group.Bars) > 0 {
			groups = append(groups, group)
		}
	}
	return groups
}

// scale makes bars of the ratios: a step of the scale is a factor.
func (g *distances) scale() {
	farthest := 10.0
	for _, d := range g.Bars {
		farthest = max(farthest, d.Ratio)
	}
	for i := range g.Bars {
		d := &g.Bars[i]
		d.Width = shortest + (100-shortest)*max(0, math.Log(d.Ratio)/math.Log(farthest))
		d.Inside = d.Width > 60
	}
}

// text is a value with its unit, as people say it.
func (m metric) text(v float64) string {
	switch m.unit {
	case "ns":
		return duration(v)
	case "M msg/s":
		return plainNumber(v) + " M/s"
	}
	return fmt.Sprintf("%s %s", plainNumber(v), m.unit)
}

func duration(ns float64) string {
	switch {
	case ns < 1e3:
		return plainNumber(ns) + " ns"
	case ns < 1e6:
		return plainNumber(ns/1e3) + " µs"
	case ns < 1e9:
		return plainNumber(ns/1e6) + " ms"
	}
	return plainNumber(ns/1e9) + " s"
}

// plainNumber has three digits that count and no exponent.
func plainNumber(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 0.001 || v == 0:
		return strconv.FormatFloat(roundTo(v, 3), 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', 6, 64)
}

func roundTo(v float64, digits int) float64 {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	return v
}

func bigNumber(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

func inBytes(n int) string {
	if n >= 1024 && n%1024 == 0 {
		return fmt.Sprintf("%d KiB", n/1024)
	}
	return fmt.Sprintf("%d B", n)
}

package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// A chart is lines over a few places on the x axis, on a logarithmic y axis.
// It is drawn twice: wide with the names at the ends of the lines, narrow with
// a legend below.
type chart struct {
	x      []string // the places
	xTitle string
	yTitle string
	format func(float64) string // of values
	series []series
}

type series struct {
	name   string
	kind   kind
	style  int // tells lines of a kind apart
	points []point
}

// A point is a median with the range of the rounds.
type point struct {
	x              int // index of the place
	y, least, most float64
}

// add puts a value into the line of that name, which it makes if need be.
func (c *chart) add(name string, k kind, p point) {
	i := slices.IndexFunc(c.series, func(s series) bool { return s.name == name })
	if i < 0 {
		style := 0
		for _, s := range c.series {
			if s.kind == k {
				style++
			}
		}
		i = len(c.series)
		c.series = append(c.series, series{name: name, kind: k, style: style})
	}
	c.series[i].points = append(c.series[i].points, p)
}

// frame is where a chart is drawn.
type frame struct {
	width, height            float64
	left, right, top, bottom float64
	names                    bool // at the ends of lines
	c                        *chart
	low, high                float64 // decades
}

func (c *chart) wide() string {
	return (&frame{width: 860, height: 420, left: 62, right: 230, top: 30, bottom: 46, names: true, c: c}).draw()
}

func (c *chart) narrow() string {
	return (&frame{width: 400, height: 340, left: 52, right: 14, top: 30, bottom: 46, c: c}).draw()
}

// decades are the ends of the y axis.
func (f *frame) decades() bool {
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range f.c.series {
		for _, p := range s.points {
			if p.y > 0 {
				low, high = min(low, p.y), max(high, p.y)
			}
		}
	}
	if low > high {
		return false
	}
	// Half decades do.
	f.low, f.high = math.Floor(2*math.Log10(low)-0.1)/2, math.Ceil(2*math.Log10(high)+0.1)/2
	return true
}

func (f *frame) px(x int) float64 {
	span := f.width - f.left - f.right
	if n := len(f.c.x); n > 1 {
		return f.left + span*(0.04+0.92*float64(x)/float64(n-1))
	}
	return f.left + span/2
}

func (f *frame) py(y float64) float64 {
	share := (math.Log10(y) - f.low) / (f.high - f.low)
	return f.height - f.bottom - share*(f.height-f.top-f.bottom)
}

func (f *frame) draw() string {
	if !f.decades() {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" role="img" aria-label="%s">`, f.width, f.height, html.EscapeString(f.c.yTitle))
	f.axes(&b)
	for _, s := range f.c.series {
		f.line(&b, s)
	}
	if f.names {
		f.endNames(&b)
	}
	b.WriteString(`</svg>`)
	return b.String()
}

func (f *frame) axes(b *strings.Builder) {
	text := func(x, y float64, anchor, class, s string) {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`, x, y, anchor, class, html.EscapeString(s))
	}
	for d := math.Floor(f.low); d <= f.high; d++ {
		for _, part := range []float64{1, 2, 5} {
			v := part * math.Pow(10, d)
			if l := math.Log10(v); l < f.low-1e-9 || l > f.high+1e-9 {
				continue
			}
			y, class := f.py(v), "grid"
			if part == 1 {
				class = "grid strong"
			}
			fmt.Fprintf(b, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" class="%s"/>`, f.left, f.width-f.right, y, y, class)
			if part == 1 || f.high-f.low <= 2 {
				text(f.left-7, y+4, "end", "tick", f.c.format(v))
			}
		}
	}
	for i, s := range f.c.x {
		text(f.px(i), f.height-f.bottom+18, "middle", "tick", s)
	}
	text(f.left+(f.width-f.left-f.right)/2, f.height-8, "middle", "axis", f.c.xTitle)
	text(4, 15, "start", "axis", f.c.yTitle)
}

// dashes and marks tell the lines of a kind apart without colours.
var dashes = []string{"", "7 4", "2 4", "10 3 2 3", "4 2", "1 3", "12 4"}

func (f *frame) line(b *strings.Builder, s series) {
	fmt.Fprintf(b, `<g class="series %s" data-name="%s">`, s.kind, html.EscapeString(s.name))
	var path strings.Builder
	for i, p := range s.points {
		fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], f.px(p.x), f.py(p.y))
	}
	fmt.Fprintf(b, `<path d="%s" stroke-dasharray="%s"/>`, path.String(), dashes[s.style%len(dashes)])
	for _, p := range s.points {
		x, y := f.px(p.x), f.py(p.y)
		fmt.Fprintf(b, `<g class="point">%s<circle cx="%.1f" cy="%.1f" r="9" class="hit"/><title>%s, %s: %s [%s to %s]</title></g>`, mark(s.style, x, y), x, y,
			html.EscapeString(s.name), html.EscapeString(f.c.x[p.x]), f.c.format(p.y), f.c.format(p.least), f.c.format(p.most))
	}
	b.WriteString(`</g>`)
}

// mark is a shape of its own for each style.
func mark(style int, x, y float64) string {
	const r = 3.6
	switch style % 4 {
	case 0:
		return fmt.Sprintf(`<circle cx="%.1f" cy="%.1f" r="%g"/>`, x, y, r)
	case 1:
		return fmt.Sprintf(`<rect x="%.1f" y="%.1f" width="%g" height="%g"/>`, x-r, y-r, 2*r, 2*r)
	case 2:
		return fmt.Sprintf(`<path d="M%.1f %.1fl%g %gh%gz"/>`, x, y-r-1, r+1, 2*r+1, -2*(r+1))
	}
	return fmt.Sprintf(`<path d="M%.1f %.1fl%g %gl%g %gl%g %gz"/>`, x, y-r-1, r+1, r+1, -r-1, r+1, -r-1, -r-1)
}

const nameHeight = 16

// endNames writes the name of each line beside its last point, and none over
// another.
func (f *frame) endNames(b *strings.Builder) {
	type name struct {
		s       series
		at, end float64
		x       float64
	}
	var names []name
	for _, s := range f.c.series {
		last := s.points[len(s.points)-1]
		names = append(names, name{s, f.py(last.y), f.py(last.y), f.px(last.x)})
	}
	slices.SortStableFunc(names, func(a, b name) int { return int(math.Copysign(1, a.at-b.at)) })
	// Down as far as needed, then up from the bottom.
	for i := range names {
		if i > 0 {
			names[i].at = max(names[i].at, names[i-1].at+nameHeight)
		}
	}
	bottom := f.height - 6
	for i := len(names) - 1; i >= 0; i-- {
		names[i].at = min(names[i].at, bottom)
		bottom = names[i].at - nameHeight
	}
	edge := f.width - f.right
	for _, n := range names {
		fmt.Fprintf(b, `<g class="series name %s" data-name="%s"><path class="leader" d="M%.1f %.1fL%.1f %.1fL%.1f %.1f"/><text x="%.1f" y="%.1f">%s</text></g>`,
			n.s.kind, html.EscapeString(n.s.name), n.x+7, n.end, edge+2, n.end, edge+16, n.at, edge+20, n.at+4, html.EscapeString(n.s.name))
	}
}

// legend is a sample of a line, for where there is no room for names.
func (s series) legend() string {
	return fmt.Sprintf(`<svg viewBox="0 0 34 12" class="sample"><g class="series %s"><path d="M1 6L33 6" stroke-dasharray="%s"/><g class="point">%s</g></g></svg>`,
		s.kind, dashes[s.style%len(dashes)], mark(s.style, 17, 6))
}

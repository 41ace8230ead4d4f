package main

import (
	"embed"
	"fmt"
	"html/template"
	"os"
	"strings"
)

//go:embed report
var reportFiles embed.FS

func reportFile(name string) string {
	b, err := reportFiles.ReadFile("report/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(b)
}

// page is what the template of the report shows. It stands alone: style, plots
// and script are in it.
type page struct {
	Host       host
	Peers      bool
	Style      template.CSS
	Script     template.JS
	Tiles      []fact
	Throughput *figureOf
	Latency    []figureOf
	Scaling    *figureOf
	Distances  []distances
	Columns    []column
	Rows       []row
	Absent     []string
	About      []fact
	// Contestants with how they are set up.
	Contestants []fact
}

type fact struct{ Value, What string }

type column struct {
	Name   string
	Number bool
}

var columns = []column{
	{"workload", false}, {"contestant", false}, {"bytes", true}, {"batch", true}, {"consumers", true},
	{"metric", false}, {"median", true}, {"least", true}, {"most", true}, {"unit", false},
}

// figureOf is a chart as the template takes it.
type figureOf struct {
	Title        string
	Wide, Narrow template.HTML
	Legend       []legendItem
}

type legendItem struct {
	Sample template.HTML
	Name   string
}

func newFigure(title string, c *chart) *figureOf {
	wide := c.wide()
	if wide == "" {
		return nil
	}
	// The chart escapes what it writes.
	f := &figureOf{Title: title, Wide: template.HTML(wide), Narrow: template.HTML(c.narrow())}
	for _, s := range c.series {
		f.Legend = append(f.Legend, legendItem{template.HTML(s.legend()), s.name})
	}
	return f
}

func newPage(h host, results []result) page {
	p := page{
		Host: h, Columns: columns, Rows: newReport(h, results).Rows, Tiles: tiles(results),
		Style:      template.CSS(reportFile("style.css") + reportFile("page.css") + reportFile("chart.css")),
		Script:     template.JS(reportFile("page.js")),
		Throughput: newFigure("", throughput(results)), Scaling: newFigure("", scaling(results)), Distances: toLimits(results),
	}
	for _, t := range percentileCurves(results) {
		if f := newFigure(t.Title, t.chart); f != nil {
			p.Latency = append(p.Latency, *f)
		}
	}
	seen := map[string]bool{}
	for _, r := range results {
		if r.failed != nil {
			p.Absent = append(p.Absent, fmt.Sprintf("%v: %s", r.entry, r.reason()))
		}
		p.Peers = p.Peers || r.kind == foreign
		if !seen[r.contestant.Name] {
			seen[r.contestant.Name] = true
			p.Contestants = append(p.Contestants, fact{What: r.contestant.Name, Value: r.about})
		}
	}
	for _, f := range []fact{
		{h.CPU, "processor"}, {fmt.Sprint(h.CPUs), "processors"}, {h.OS + ", " + h.Kernel, "system"}, {h.Go, "Go"}, {h.Compiler, "C"},
		{h.Placement, "placement"}, {fmt.Sprintf("%s before, %s after; others took %.0f %% of the CPUs", h.LoadBefore, h.LoadAfter, h.Others), "load"},
		{fmt.Sprintf("%.0f ns [%.0f to %.0f], looked at between any two measurements", h.Probe.Median, h.Probe.Min, h.Probe.Max), "cache line round trip"},
		{fmt.Sprintf("%d rounds of %d ms", h.Rounds, h.SpanMs), "measured"}, {strings.Join(h.Moved, "; "), "processors moved in"},
	} {
		if strings.Trim(f.Value, ", ") != "" {
			p.About = append(p.About, f)
		}
	}
	return p
}

// tiles are the figures that people ask for first.
func tiles(results []result) (facts []fact) {
	at := func(w workload, c contestant, batch int, m string) (float64, bool) {
		if r := find(results, entry{workload: w, contestant: c, size: small, batch: batch, consumers: 1}); r != nil {
			return r.median(m)
		}
		return 0, false
	}
	if v, ok := at(oneWay, viewed, 1, "rate"); ok {
		text := "64-byte messages a second, each published by itself"
		if pipes, ok := at(oneWay, pipe(), 1, "rate"); ok {
			text += fmt.Sprintf(": %.0f × a pipe", v/pipes)
		}
		facts = append(facts, fact{plainNumber(v) + " M", text})
	}
	if v, ok := at(oneWay, viewed, batches, "rate"); ok {
		facts = append(facts, fact{plainNumber(v) + " M", "a second in batches of 32"})
	}
	if v, ok := at(roundTrip, spinning, 1, "p50"); ok {
		text := "round trip between two processes, both spinning"
		if least, ok := at(roundTrip, twoLines, 1, "p50"); ok {
			text += fmt.Sprintf(": %.2f × the least that two cache lines take", v/least)
		}
		facts = append(facts, fact{duration(v), text})
	}
	if v, ok := at(idleness, blocking, 1, "cpu"); ok {
		facts = append(facts, fact{plainNumber(v) + " %", "of a processor for a consumer that waits"})
	}
	return facts
}

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"number": plainNumber}).Parse(reportFile("page.html")))

func (p page) write(file string) error {
	var b strings.Builder
	if err := pageTemplate.Execute(&b, p); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// writePlot writes the chart of the one-way rates as a file of its own.
func writePlot(file string, results []result) error {
	text := throughput(results).wide()
	if text == "" {
		return fmt.Errorf("-svg: wanted one-way rates to plot, found none measured")
	}
	style := "<style>" + reportFile("style.css") + reportFile("chart.css") + "</style>"
	end := strings.Index(text, ">") + 1
	return os.WriteFile(file, []byte(text[:end]+style+text[end:]+"\n"), 0o644)
}

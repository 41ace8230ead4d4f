package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

func TestVerdicts(t *testing.T) {
	e := entryNamed(t, "W1 ring, 64 B")
	peer := entry{workload: oneWay, contestant: zeroMQ, size: small, batch: 1, consumers: 1}
	gone := entryNamed(t, "W1 C ring, 64 B")
	results := []result{
		{entry: e, rounds: map[string][]float64{"rate": {1, 2, 3}, "bandwidth": {0.0004}}},
		{entry: peer, failed: side.ErrMissing},
		{entry: gone, failed: errors.New("broken")},
	}
	same := func(m []float64) float64 { return m[0] }
	for _, test := range []struct {
		goal
		line string
		ok   bool
	}{
		{goal{"a", atLeast, 2, []reading{{e, "rate"}}, same}, "2.00 >= 2 ok", true},
		{goal{"b", atLeast, 2.01, []reading{{e, "rate"}}, same}, "2.00 >= 2.01 missed", false},
		{goal{"c", below, 0.001, []reading{{e, "bandwidth"}}, same}, "0.000400 < 0.001 ok", true},
		{goal{"d", equal, 0, []reading{{e, "bandwidth"}}, same}, "0.000400 = 0 missed", false},
		{goal{"e", atMost, 1.05, []reading{{e, "rate"}}, same}, "2.00 <= 1.05 missed", false},
		{goal{"f", shown, 0, []reading{{e, "rate"}}, same}, "2.00 shown", true},
		{goal{"g", atLeast, 2, []reading{{peer, "rate"}}, same}, "- >= 2 MISSING", true},
		{goal{"h", atLeast, 2, []reading{{gone, "rate"}}, same}, "- >= 2 MISSING", false},
	} {
		var b strings.Builder
		ok := printGoals(&b, []goal{test.goal}, results)
		line := strings.Join(strings.Fields(b.String()), " ")
		if ok != test.ok || !strings.HasPrefix(line, test.name+" "+test.line) {
			t.Errorf("found %q, %v; want %q, %v", line, ok, test.line, test.ok)
		}
	}
}

// What a goal needs of the program is in it; the rest are peers.
func TestGoalsNeedWhatThereIs(t *testing.T) {
	var known []result
	for _, e := range program() {
		known = append(known, result{entry: e})
	}
	for _, g := range goals() {
		for _, need := range g.needs {
			found := find(known, need.entry)
			if found == nil && !need.peer {
				t.Errorf("%s: needs %v, which nobody measures", g.name, need.entry)
			}
			has := false
			for _, m := range need.metrics {
				has = has || m.name == need.metric
			}
			if !has {
				t.Errorf("%s: needs %s of %v, which it has not", g.name, need.metric, need.entry)
			}
		}
	}
}

package main

import (
	"io"
	"testing"
)

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-rounds", "-1"}, {"-only", "("}, {"-size", "7"}, {"-size", "a"}, {"-cpus", "1"}, {"more"}, {"-nothing"}} {
		if status := command(args, io.Discard, io.Discard); status != 2 {
			t.Errorf("bench %q: status %d, want 2", args, status)
		}
	}
	if status := command([]string{"-h"}, io.Discard, io.Discard); status != 0 {
		t.Errorf("bench -h: status %d, want 0", status)
	}
}

func TestCPUs(t *testing.T) {
	for _, test := range []struct {
		text    string
		allowed []int
		want    [2]int
		ok      bool
	}{
		{"", []int{2, 5, 7}, [2]int{2, 5}, true},
		{"", []int{2}, [2]int{unpinned, unpinned}, true},
		{"7, 2", []int{2, 5, 7}, [2]int{7, 2}, true},
		{"7", []int{2, 5, 7}, [2]int{}, false},
		{"a,b", []int{2, 5, 7}, [2]int{}, false},
		{"0,1", nil, [2]int{}, false},
	} {
		if cpus, err := parseCPUs(test.text, test.allowed); (err == nil) != test.ok || test.ok && cpus != test.want {
			t.Errorf("-cpus %q of %v: found %v, %v", test.text, test.allowed, cpus, err)
		}
	}
}

func TestWhatIsChosen(t *testing.T) {
	choose := func(args ...string) (chosen []entry) {
		o, status := parseOptions(args, io.Discard)
		if status >= 0 {
			t.Fatalf("bench %q: status %d", args, status)
		}
		chosen, missing := o.entries(t.Context(), settings{dir: t.TempDir()})
		if len(missing) > 0 {
			t.Errorf("bench %q: found missing %v", args, missing)
		}
		return chosen
	}
	all, quick := len(choose()), len(choose("-quick"))
	if quick == 0 || quick >= all {
		t.Errorf("found %d entries of %d with -quick", quick, all)
	}
	for _, e := range choose("-size", "8,1024") {
		if e.kind != limit && e.size != 8 && e.size != 1024 {
			t.Errorf("-size 8,1024: found %v", e)
		}
	}
	if found := choose("-only", "^W2 ring, spin, 64 B$"); len(found) != 1 {
		t.Errorf("-only of one: found %v", found)
	}
}

// An entry is found again by its name and batch.
func TestNoTwoEntriesAreTheSame(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range program() {
		if seen[e.String()] {
			t.Errorf("%v twice", e)
		}
		seen[e.String()] = true
	}
}

package model

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestProtocol explores the configurations of the quick size, or with -short
// of the short one, and hunts in them for the mutants that they can find. ONLY
// is a regular expression of names.
func TestProtocol(t *testing.T) {
	size := tested
	if testing.Short() {
		size = Short
	}
	run, killed := 0, 0
	good := Suite(size, regexp.MustCompile(os.Getenv("ONLY")), func(r Result) {
		t.Logf("%-20s %-4s %8d states %v", r.Config, r.Order, r.States, r.Time.Round(time.Millisecond))
		if r.Violation != nil {
			t.Errorf("%s\n%s", r.Violation.What, strings.Join(r.Violation.Trace, "\n"))
		}
	}, func(k Kill) {
		switch {
		case k.Killed:
			t.Logf("%-28s %-4s killed in %-20s %3d steps %v", k.Name, k.Order, k.Result.Config, k.Result.Violation.Steps, k.Time.Round(time.Millisecond))
		case k.Survived:
			t.Errorf("%-28s %-4s survived in %v", k.Name, k.Order, k.Configs)
		case k.Skipped:
			t.Logf("%-28s %-4s skipped %v", k.Name, k.Order, k.Configs)
		}
		if !k.Skipped && !k.Forgiven {
			run++
			if k.Killed {
				killed++
			}
		}
	})
	t.Logf("mutants: %d of %d killed, in either order", killed, run)
	if !good && !t.Failed() {
		t.Error("the suite is not satisfied")
	}
}

func TestNames(t *testing.T) {
	for at, name := range stepNames {
		if name == "" {
			t.Errorf("step %d has no name", at)
		}
	}
	var configs []string
	for _, c := range Configs() {
		if slices.Contains(configs, c.Name) {
			t.Errorf("two configurations are called %q", c.Name)
		}
		configs = append(configs, c.Name)
	}
	var mutants []string
	for i, w := range Mutants() {
		if w.Mutant == None || slices.Contains(mutants, w.Name) {
			t.Errorf("mutant %d, %q: wanted one of its own", i, w.Name)
		}
		mutants = append(mutants, w.Name)
		for _, name := range w.Configs {
			if !slices.Contains(configs, name) {
				t.Errorf("mutant %q lives in %q, which is no configuration", w.Name, name)
			}
		}
	}
	if len(mutants) < 24 {
		t.Errorf("%d mutants, wanted at least 24", len(mutants))
	}
}

// TestLitmus shows what a memory order allows by the mutants that need it.
func TestLitmus(t *testing.T) {
	configs := map[string]Config{}
	for _, c := range Configs() {
		configs[c.Name] = c
	}
	for _, test := range []struct {
		name   string
		config string
		mutant Mutant
		tso    bool
		weak   bool
	}{
		{"a store may pass behind a load", "fences", CommitNotFenced, true, true},
		{"a plain store may pass before a store", "reliable", CommitPlain, false, true},
		{"a load may pass before a plain load", "reliable", CommitLoadPlain, false, true},
		{"nothing is wrong", "reliable", None, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			for order, want := range map[Order]bool{TSO: test.tso, Weak: test.weak} {
				r := Explore(configs[test.config], order, test.mutant, most)
				if found := r.Violation != nil; found != want {
					t.Errorf("%s: violation %v, wanted %v", order, found, want)
				}
			}
		})
	}
}

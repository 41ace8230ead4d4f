// Prove explores every interleaving of the ring's protocol in small worlds,
// under two memory orders, with kills at every step, and hunts for every known
// wrong variant of it. It prints what it found and exits with 1 if anything is
// not as it should be.
//
//	go run ./internal/prove [-quick] [-only REGEXP] [-v]
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/carousel-ipc/carousel/internal/model"
)

func main() {
	quick := flag.Bool("quick", false, "smaller configurations, for every push")
	only := flag.String("only", "", "configurations and mutants whose names match `regexp`")
	verbose := flag.Bool("v", false, "the way to each mutant's failure")
	flag.Parse()
	names, err := regexp.Compile(*only)
	if err != nil || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "usage: prove [-quick] [-only REGEXP] [-v]")
		os.Exit(2)
	}
	size := model.Full
	if *quick {
		size = model.Quick
	}
	t := table{verbose: *verbose}
	begun := time.Now()
	good := model.Suite(size, names, t.proved, t.killed)
	t.close(time.Since(begun))
	if t.configs+t.mutants == 0 {
		fmt.Fprintf(os.Stderr, "prove: wanted configurations or mutants that match %q, found none\n", *only)
	}
	if !good || t.configs+t.mutants == 0 {
		os.Exit(1)
	}
}

// table prints results as they come.
type table struct {
	verbose            bool
	configs, mutants   int
	states, violations int
	killedN            int
	survived           bool // in the order before
}

func (t *table) proved(r model.Result) {
	if t.configs == 0 {
		fmt.Printf("%-20s %-5s %9s %8s  %s\n", "configuration", "order", "states", "seconds", "violations")
	}
	t.configs++
	t.states += r.States
	found := "0"
	if r.Violation != nil {
		t.violations++
		found = "1: " + r.Violation.What
	}
	fmt.Printf("%-20s %-5s %9d %8.2f  %s\n", r.Config, r.Order, r.States, r.Time.Seconds(), found)
	if r.Violation != nil {
		show(r.Violation)
	}
}

func (t *table) killed(k model.Kill) {
	if k.Skipped {
		return
	}
	if t.mutants == 0 {
		fmt.Printf("\n%-28s %-12s %-5s %-20s %5s  %s\n", "mutant", "breaks", "order", "killed in", "steps", "what is wrong")
	}
	where, steps := "SURVIVED", ""
	switch {
	case k.Killed:
		where, steps = k.Result.Config, fmt.Sprint(k.Result.Violation.Steps)
	case k.Forgiven:
		where = "forgiven by amd64"
	}
	fmt.Printf("%-28s %-12s %-5s %-20s %5s  %s\n", k.Name, k.Rule, k.Order, where, steps, k.What)
	if t.verbose && k.Killed {
		show(k.Result.Violation)
	}
	t.count(k)
}

// count makes one mutant of its two memory orders: it is killed if it
// survives in neither.
func (t *table) count(k model.Kill) {
	if k.Order == model.TSO {
		t.mutants++
		t.survived = k.Survived
		return
	}
	if !t.survived && !k.Survived {
		t.killedN++
	}
}

func (t *table) close(took time.Duration) {
	fmt.Printf("\n%d explorations, %d states, %d violations, %.0f s\n", t.configs, t.states, t.violations, took.Seconds())
	fmt.Printf("mutants: %d of %d killed\n", t.killedN, t.mutants)
}

func show(v *model.Violation) {
	fmt.Println("\t" + v.What)
	for _, line := range v.Trace {
		fmt.Println("\t" + line)
	}
}

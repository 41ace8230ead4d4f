package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// roleEnv names the part that a copy of this program plays.
const roleEnv = "CAROUSEL_TORTURE_ROLE"

var roles = map[string]func(args []string) error{
	"control":  controlRole,
	"publish":  publishRole,
	"hold":     holdRole,
	"start":    startRole,
	"stopped":  stoppedRole,
	"echo":     echoRole,
	"sleepers": sleepersRole,
	"soak":     soakRole,
	"glutton":  gluttonRole,
	"idle":     idleRole,
	"narrow":   narrowRole,
	"look":     lookRole,
	"mutate":   mutateRole,
	"damaged":  damagedRole,
}

func main() {
	if role := os.Getenv(roleEnv); role != "" {
		endWithParent()
		if err := roles[role](os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", role, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(run())
}

func run() int {
	var (
		quick = flag.Bool("quick", false, "the counts of the gate, a few minutes")
		seed  = flag.Uint64("seed", rand.Uint64(), "of everything random")
		n     = flag.Int("n", 0, "trials of each row, 0: its own count")
		limit = flag.Duration("for", 0, "begin no trial of a row after so long, 0: all of them")
		only  = flag.String("only", "", "ids of rows to run, with commas")
		skip  = flag.String("skip", "", "ids of rows not to run, with commas")
		list  = flag.Bool("list", false, "list the rows")
	)
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "torture: wanted no arguments, found %q\n", flag.Args())
		return 2
	}
	chosen, err := choose(*only, *skip)
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		return 2
	}
	if *list {
		for _, r := range chosen {
			fmt.Printf("%-3s %-62s %10d %10d\n", r.id, r.what, r.quick, r.long)
		}
		return 0
	}
	controls, err := startControls()
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		return 1
	}
	defer controls.stop()
	defer sweep()
	var all []*tally
	for _, r := range chosen {
		count := r.long
		if *quick {
			count = r.quick
		}
		if *n > 0 {
			count = *n
		}
		t := r.try(count, *limit, *seed, *quick, controls)
		if *quick && t.failed > 0 && t.failed == t.slow {
			// Nothing was wrong but times: others may have had the processors.
			again := r.try(count, *limit, *seed, *quick, controls)
			again.note("tried once more: at first %d delays beyond %v, by %v at most", t.slow, r.bound, t.worst)
			t = again
		}
		all = append(all, t)
	}
	failed := printTable(os.Stdout, all, *seed)
	controls.print(os.Stdout)
	if failed {
		return 1
	}
	return 0
}

func choose(only, skip string) (chosen []row, err error) {
	split := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
	}
	wanted, unwanted := split(only), split(skip)
	for _, id := range slices.Concat(wanted, unwanted) {
		if !slices.ContainsFunc(rows, func(r row) bool { return r.id == id }) {
			return nil, fmt.Errorf("wanted ids of rows (-list shows them), found %s", id)
		}
	}
	for _, r := range rows {
		if (len(wanted) == 0 || slices.Contains(wanted, r.id)) && !slices.Contains(unwanted, r.id) {
			chosen = append(chosen, r)
		}
	}
	return chosen, nil
}

// prefix is how the names of this run's rings begin.
func prefix() string { return fmt.Sprintf("carousel-torture-%d-", os.Getpid()) }

// sweep removes what failed rows have left.
func sweep() {
	left, _ := filepath.Glob("/dev/shm/" + prefix() + "*")
	for _, name := range left {
		_ = os.Remove(name)
	}
}

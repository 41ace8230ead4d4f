package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// options are those of the command line.
type options struct {
	quick, goals, peers bool
	only                *regexp.Regexp
	sizes               []int // none: all
	rounds              int
	span                time.Duration
	cpus                [2]int
	json, html, svg     string
}

// parseOptions returns a status of 0 or more when there is nothing to do.
func parseOptions(args []string, stderr io.Writer) (o options, status int) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.quick, "quick", false, "the most telling figures, in less than a minute")
	flags.BoolVar(&o.goals, "goals", false, "what the goals need, and nothing else; exit 1 when one is missed")
	flags.BoolVar(&o.peers, "peers", false, "other systems too, by the module bench/peers")
	flags.IntVar(&o.rounds, "rounds", 0, "how often to measure everything (default 5; with -quick 3)")
	flags.StringVar(&o.json, "json", "", "write everything to `FILE`")
	flags.StringVar(&o.html, "html", "", "write a report to `FILE`")
	flags.StringVar(&o.svg, "svg", "", "write the plot of the one-way rates to `FILE`")
	only := flags.String("only", "", "measure what this `regexp` matches, of names such as \"W1 ring, batches of 32, 64 B\"")
	sizes := flags.String("size", "", "measure messages of these `bytes`, such as 8,64; limits in any case")
	cpus := flags.String("cpus", "", "pin the two sides to the CPUs `A,B` (default: the first two)")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return o, 0
	} else if err != nil {
		return o, 2
	}
	var err, wrong error
	o.only, err = regexp.Compile(*only)
	if flags.NArg() > 0 || o.rounds < 0 {
		err = errors.Join(err, fmt.Errorf("wanted flags and at least one round, found %q", strings.Join(args, " ")))
	}
	o.sizes, wrong = parseSizes(*sizes)
	err = errors.Join(err, wrong)
	o.cpus, wrong = parseCPUs(*cpus, side.AllowedCPUs())
	if err = errors.Join(err, wrong); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return o, 2
	}
	o.span = 400 * time.Millisecond
	if o.quick {
		o.span = 250 * time.Millisecond
	}
	if o.rounds == 0 && o.quick {
		o.rounds = 3
	} else if o.rounds == 0 {
		o.rounds = 5
	}
	return o, -1
}

func parseSizes(text string) (sizes []int, err error) {
	if text == "" {
		return nil, nil
	}
	for s := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || !slices.Contains(messageSizes, n) {
			return nil, fmt.Errorf("-size: wanted some of %v, found %q", messageSizes, s)
		}
		sizes = append(sizes, n)
	}
	return sizes, nil
}

// entries returns what is to be measured, and what is missing for it.
func (o options) entries(ctx context.Context, s settings) (chosen []entry, missing []error) {
	all := program()
	if o.goals {
		all = entriesOf(goals())
	}
	if o.peers || o.goals {
		peers, err := buildPeers(ctx, s.dir)
		if err != nil {
			missing = append(missing, fmt.Errorf("peers: %w", err))
		}
		if !o.goals {
			for _, p := range peers {
				for _, e := range p.entries() {
					all = beside(all, e)
				}
			}
		} else if err != nil {
			all = slices.DeleteFunc(all, func(e entry) bool { return e.peer })
		}
	}
	for _, e := range all {
		if o.quick && !o.goals && !e.quick && !e.peer || !o.only.MatchString(e.String()) {
			continue
		}
		if len(o.sizes) > 0 && e.kind != limit && !slices.Contains(o.sizes, e.size) {
			continue
		}
		chosen = append(chosen, e)
	}
	return chosen, missing
}

// beside inserts e behind the last entry of its workload and size.
func beside(all []entry, e entry) []entry {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].workload.name == e.workload.name && all[i].size == e.size && all[i].kind != limit {
			return slices.Insert(all, i+1, e)
		}
	}
	return append(all, e)
}

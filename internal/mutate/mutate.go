package mutate

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// A run is given up when an input takes so many looks, at so long an interval:
// nothing that is fuzzed here takes a second, but a machine may stand still for
// half a minute, which is one look.
const looks = 15

var interval = 2 * time.Second

// An F is a testing.F whose Fuzz knows CAROUSEL_FUZZ.
type F struct {
	*testing.F
	added int
}

// Of returns f with that.
func Of(f *testing.F) *F { return &F{F: f} }

// Add adds an entry to the corpus.
func (f *F) Add(args ...any) {
	f.added++
	f.F.Add(args...)
}

// Fuzz runs target, a function of *testing.T and of what the engine takes:
// with the corpus, or under the engine, or with the corpus and many inputs
// that are made of it.
func (f *F) Fuzz(target any) {
	f.Helper()
	wanted := os.Getenv("CAROUSEL_FUZZ")
	if engine := flag.Lookup("test.fuzz"); wanted == "" || engine != nil && engine.Value.String() != "" {
		f.F.Fuzz(target)
		return
	}
	n, err := strconv.Atoi(wanted)
	if err != nil || n < 1 {
		f.Fatalf("CAROUSEL_FUZZ is %q, want a number of inputs", wanted)
	}
	seed, err := strconv.ParseUint(os.Getenv("CAROUSEL_SEED"), 10, 64)
	if err != nil {
		seed = rand.Uint64()
	}
	files, _ := os.ReadDir(filepath.Join("testdata", "fuzz", f.Name())) // none is no error
	c := &campaign{name: f.Name(), seed: seed, target: reflect.ValueOf(target), inputs: n, entries: f.added + len(files)}
	// Inputs leave little that lives: to collect seldom makes some targets twice
	// as fast.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	over := make(chan struct{})
	defer close(over)
	go c.watch(over)
	f.F.Fuzz(reflect.MakeFunc(c.target.Type(), c.entry).Interface())
	f.Logf("%d inputs, CAROUSEL_SEED=%d", c.made, seed)
}

// A campaign is one target's run.
type campaign struct {
	name            string
	seed            uint64
	target          reflect.Value
	inputs, entries int // wanted, and in the corpus
	made            int
	corpus          [][]reflect.Value // what has come of it

	runs    atomic.Uint64
	running []reflect.Value // the input of the last of them
}

// entry runs one entry of the corpus, and its share of the inputs.
func (c *campaign) entry(args []reflect.Value) []reflect.Value {
	t := args[0].Interface().(*testing.T)
	nth := len(c.corpus)
	c.corpus = append(c.corpus, args[1:])
	c.run(t, args)
	share := c.inputs / c.entries
	if nth < c.inputs%c.entries {
		share++
	}
	// A source of its own for each target and entry: none depends on which others
	// are run.
	h := fnv.New64a()
	fmt.Fprint(h, c.name, nth)
	m := mutator{rand.New(rand.NewPCG(c.seed, h.Sum64()))}
	in := make([]reflect.Value, len(args))
	in[0] = args[0]
	for range share {
		m.input(in[1:], c.corpus[nth], c.corpus[m.IntN(nth+1)])
		c.run(t, in)
	}
	c.made += share
	return nil
}

// run runs the target once. An input that makes it fail, panic or hang is kept.
func (c *campaign) run(t *testing.T, args []reflect.Value) {
	c.running = args[1:]
	c.runs.Add(1)
	whole := false
	defer func() {
		if !whole || t.Failed() {
			c.keep(args[1:])
		}
	}()
	c.target.Call(args)
	whole = true
	if t.Failed() {
		t.FailNow()
	}
}

// watch gives up when one input keeps running.
func (c *campaign) watch(over <-chan struct{}) {
	look := time.NewTicker(interval)
	defer look.Stop()
	last, same := c.runs.Load(), 0
	for {
		select {
		case <-over:
			return
		case <-look.C:
		}
		if same++; c.runs.Load() != last {
			last, same = c.runs.Load(), 0
		}
		if same == looks {
			c.keep(c.running)
			debug.SetTraceback("all")
			panic(fmt.Sprintf("%s takes more than %v", c.name, looks*interval))
		}
	}
}

// keep writes an input where the next run of the tests finds it.
func (c *campaign) keep(args []reflect.Value) {
	text := encode(args)
	h := fnv.New64a()
	h.Write(text)
	path := filepath.Join("testdata", "fuzz", c.name, fmt.Sprintf("%016x", h.Sum64()))
	err := os.MkdirAll(filepath.Dir(path), 0o777)
	if err == nil {
		err = os.WriteFile(path, text, 0o666)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, text)
	}
	fmt.Fprintf(os.Stderr, "%s fails, with CAROUSEL_SEED=%d; again: go test -run=%s/%s\n", c.name, c.seed, c.name, filepath.Base(path))
}

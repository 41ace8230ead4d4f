package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/bench/internal/native"
	"github.com/carousel-ipc/carousel/bench/internal/side"
	"github.com/carousel-ipc/carousel/internal/leak"
)

// The test's own program is what the measurements start.
func TestMain(m *testing.M) {
	if job, ok := os.LookupEnv(side.Variable); ok {
		os.Exit(child(job))
	}
	code := leak.Check(m)
	os.RemoveAll(programs.dir)
	os.Exit(code)
}

// programs are the C programs, compiled once.
var programs struct {
	once sync.Once
	dir  string
	err  error
}

func testSettings(t *testing.T) settings {
	t.Helper()
	programs.once.Do(func() {
		if programs.dir, programs.err = os.MkdirTemp("", leak.Prefix()+"bench"); programs.err == nil {
			programs.err = errors.Join(os.Chmod(programs.dir, 0o711), native.Build(t.Context(), programs.dir))
		}
	})
	if programs.err != nil && !errors.Is(programs.err, native.ErrMissing) {
		t.Fatal(programs.err)
	}
	cpus, _ := parseCPUs("", side.AllowedCPUs())
	return settings{
		prefix: leak.Prefix() + "bench", dir: programs.dir, span: 10 * time.Millisecond, cpus: cpus, native: programs.err,
	}
}

// Every contestant does every work that it can do, once: at the first size that
// it has, and with the race detector, which makes all of it many times slower,
// only what -quick measures.
func TestEveryContestantDeliversAllMessages(t *testing.T) {
	s := testSettings(t)
	seen := map[string]bool{}
	for _, e := range program() {
		key := e.work + e.label()
		if seen[key] || e.consumers > 4 || raceDetector && !e.quick {
			continue
		}
		seen[key] = true
		t.Run(e.String(), func(t *testing.T) {
			e.calm = false // a second is for figures
			values, err := e.measure(t.Context(), s)
			if (result{failed: err}).missing() {
				t.Skip("SKIP: not on this machine: ", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range e.metrics {
				v, ok := values[m.name]
				if optional := e.program != "" && m.name != e.metrics[0].name; !ok && !optional {
					t.Errorf("found no %s in %v", m.name, values)
				}
				if free := strings.HasSuffix(m.name, "allocations") || m.name == "cpu"; v < 0 || v == 0 && ok && !free {
					t.Errorf("found %s of %v, want more than 0", m.name, v)
				}
			}
		})
	}
}

func TestManyConsumersAllGetEverything(t *testing.T) {
	for _, e := range program() {
		if e.workload.name == oneToMany.name && e.consumers == 16 {
			values, err := e.measure(t.Context(), testSettings(t))
			if (result{failed: err}).missing() {
				t.Skip("SKIP: not on this machine: ", err)
			}
			if err != nil || values["rate"] <= 0 {
				t.Errorf("%v: found %v, %v", e, values, err)
			}
		}
	}
}

func entryNamed(t *testing.T, name string) entry {
	t.Helper()
	for _, e := range program() {
		if e.String() == name {
			return e
		}
	}
	t.Fatalf("no entry %q", name)
	return entry{}
}

func TestAFailureIsToldAndLeavesNothing(t *testing.T) {
	e := entryNamed(t, "W1 ring, 64 B")
	e.contestant.Name = "one that no child knows"
	_, err := e.measure(t.Context(), testSettings(t))
	if err == nil || !strings.Contains(err.Error(), "wanted a contestant") {
		t.Errorf("found error %v, want what the child said", err)
	}
}

func TestAnInterruptEndsAMeasurement(t *testing.T) {
	s := testSettings(t)
	s.span = time.Minute
	for _, name := range []string{"W1 ring, 64 B", "W2 pipe, 64 B", "W4 C broadcast ring, batches of 32, 64 B, 2 consumers", "W5 ring, 64 B"} {
		e := entryNamed(t, name)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		start := time.Now()
		if _, err := e.measure(ctx, s); err == nil || time.Since(start) > 10*time.Second {
			t.Errorf("%v: found error %v after %v, want one at once", e, err, time.Since(start))
		}
		cancel()
	}
}

func TestWithoutACompilerCIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := native.Build(t.Context(), t.TempDir())
	if !errors.Is(err, native.ErrMissing) {
		t.Fatalf("found %v, want that it is missing", err)
	}
	s := testSettings(t)
	s.native = err
	_, err = entryNamed(t, "W1 C ring, 64 B").measure(t.Context(), s)
	if !(result{failed: err}).missing() {
		t.Errorf("found %v, want that it is missing", err)
	}
}

// Two processors that do not move are found where they were.
func TestTheProbeFindsARoundTrip(t *testing.T) {
	s := testSettings(t)
	if !s.pinned() {
		t.Skip("SKIP: one processor: nobody is pinned")
	}
	if found := probe(s.cpus); found <= 0 || found > 1e6 {
		t.Errorf("found a round trip of %v ns", found)
	}
	if found := probe([2]int{s.cpus[0], s.cpus[0]}); found != 0 {
		t.Errorf("found %v ns on one processor, want no figure", found)
	}
	for _, c := range []struct {
		a, b float64
		want bool
	}{{100, 120, false}, {100, 131, true}, {131, 100, true}, {0, 100, false}} {
		if hasMoved(c.a, c.b) != c.want {
			t.Errorf("from %v to %v: wanted %v", c.a, c.b, c.want)
		}
	}
}

func TestJSONHasEveryRow(t *testing.T) {
	e := entryNamed(t, "W1 ring, batches of 32, 64 B")
	r := result{entry: e, rounds: map[string][]float64{"rate": {3, 1, 2}, "bandwidth": {30, 10, 20}}}
	file := filepath.Join(t.TempDir(), "a.json")
	if err := newReport(readHost(testSettings(t), 3), []result{r}).write(file); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"workload": "W1"`, `"contestant": "ring"`, `"size": 64`, `"batch": 32`, `"consumers": 1`,
		`"metric": "rate"`, `"unit": "M msg/s"`, `"median": 2`, `"min": 1`, `"max": 3`, `"rounds": [`, `"kernel"`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("found no %s in\n%s", want, b)
		}
	}
}

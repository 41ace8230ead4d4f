package leak

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { os.Exit(Check(m)) }

type runFunc func() int

func (f runFunc) Run() int { return f() }

func run(f runFunc) (code int, said string) {
	var w strings.Builder
	code = check(f, &w, 50*time.Millisecond)
	return code, w.String()
}

func wantFound(t *testing.T, code int, said string, parts ...string) {
	t.Helper()
	if code != 1 {
		t.Errorf("exit code %d, wanted 1", code)
	}
	for _, p := range parts {
		if !strings.Contains(said, p) {
			t.Errorf("%q does not name %q", said, p)
		}
	}
}

func TestACleanRunKeepsItsCode(t *testing.T) {
	for _, want := range []int{0, 1, 7} {
		if code, said := run(func() int { return want }); code != want || said != "" {
			t.Errorf("got %d, %q; wanted %d and silence", code, said, want)
		}
	}
}

func TestAGoroutineIsFound(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	code, said := run(func() int {
		go lingering(stop)
		return 0
	})
	wantFound(t, code, said, "found 1", "goroutine", "lingering")
}

func lingering(stop chan struct{}) { <-stop }

func TestWhatEndsSoonIsNotFound(t *testing.T) {
	code, said := run(func() int {
		go time.Sleep(20 * time.Millisecond)
		return 0
	})
	if code != 0 {
		t.Errorf("got %d, %q", code, said)
	}
}

func TestAFailedRunKeepsItsCodeAndStillTells(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	code, said := run(func() int {
		go lingering(stop)
		return 3
	})
	if code != 3 || !strings.Contains(said, "lingering") {
		t.Errorf("got %d, %q", code, said)
	}
}

package leak

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"testing"
)

func TestAFileInSharedMemoryIsFound(t *testing.T) {
	mine := filepath.Join(sharedDir, Prefix()+"left")
	other := filepath.Join(sharedDir, "carousel-test-0-of-another-process")
	t.Cleanup(func() {
		os.Remove(mine)
		os.Remove(other)
	})
	code, said := run(func() int {
		for _, path := range []string{mine, other} {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Skip("SKIP: no /dev/shm to write to: ", err)
			}
		}
		return 0
	})
	wantFound(t, code, said, "found 1", mine)
}

func TestAChildIsFoundAliveOrDead(t *testing.T) {
	for _, args := range [][]string{{"sleep", "60"}, {"true"}} {
		cmd := exec.Command(args[0], args[1:]...)
		code, said := run(func() int {
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			return 0
		})
		wantFound(t, code, said, "found 1", "child process", "("+args[0]+")")
		_ = cmd.Process.Kill() // the dead one has ended already
		_ = cmd.Wait()
	}
}

func TestADescriptorIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "open")
	var f *os.File
	code, said := run(func() int {
		var err error
		if f, err = os.Create(path); err != nil {
			t.Fatal(err)
		}
		return 0
	})
	f.Close()
	wantFound(t, code, said, "found 1", "descriptor", path)
}

func TestWhatTheRuntimeKeepsIsNotFound(t *testing.T) {
	code, said := run(func() int {
		c := make(chan os.Signal, 1)
		signal.Notify(c, os.Interrupt)
		signal.Stop(c)
		r, w, err := os.Pipe() // starts the poller
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		w.Close()
		if err := exec.Command("true").Run(); err != nil {
			t.Fatal(err)
		}
		return 0
	})
	if code != 0 {
		t.Errorf("got %d, %q", code, said)
	}
}

func TestParseStat(t *testing.T) {
	for text, want := range map[string]int{
		"12 (sleep) S 34 12":      34,
		"12 (a) b (c) d) Z 35 12": 35,
		"12 (sleep) S":            -1,
		"12 (sleep) S x":          -1,
		"12 sleep S 34":           -1,
		")12(":                    -1,
		"":                        -1,
	} {
		if _, _, got := parseStat(text); got != want {
			t.Errorf("%q: parent %d, wanted %d", text, got, want)
		}
	}
}

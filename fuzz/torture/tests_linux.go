package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Rows that are tests of the repository: each test without tests below it is a
// trial.

// a suite is what one run of go test picks.
type suite struct {
	folder, pick string
	env          []string // with the long count, besides
	always       []string
}

func runSuites(suites ...suite) func(*tally) error {
	return func(t *tally) error {
		for _, s := range suites {
			if err := s.run(t); err != nil {
				return err
			}
		}
		return nil
	}
}

func (s suite) run(t *tally) error {
	args := append([]string{"test", "-json", "-count=1", "-timeout=60m", "-run", s.pick}, s.folder)
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), s.always...)
	if !t.quick {
		cmd.Env = append(cmd.Env, s.env...)
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := map[string]string{} // by what
	said := map[string]string{}
	var order []string
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e struct{ Action, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		switch e.Action {
		case "output":
			if n := len(said[e.Test]); n < 4000 {
				said[e.Test] += e.Output
			}
		case "pass", "fail", "skip":
			ended[e.Test] = e.Action
			order = append(order, e.Test)
		}
	}
	code := cmd.Wait()
	failed := false
	for _, test := range order {
		if test == "" || hasBelow(test, order) {
			continue
		}
		t.counted(1)
		switch ended[test] {
		case "fail":
			failed = true
			t.fail("%s %s: %s", s.folder, test, said[test])
		case "skip":
			t.note("%s %s: %s", s.folder, test, strings.TrimSpace(said[test]))
		}
	}
	if code != nil && !failed {
		t.fail("go test %s -run %s: %v\n%s", s.folder, s.pick, code, said[""])
	}
	if len(order) < 2 {
		t.fail("wanted tests that %s picks in %s, found none", s.pick, s.folder)
	}
	return lines.Err()
}

func hasBelow(test string, all []string) bool {
	for _, other := range all {
		if strings.HasPrefix(other, test+"/") {
			return true
		}
	}
	return false
}

// F1: every fuzz target, for so many inputs. A trial is an input.
func fuzzTargets(t *tally) error {
	out, err := exec.Command("go", "test", "-list", "^Fuzz", "./...").Output()
	if err != nil {
		return fmt.Errorf("list the fuzz targets: %w", err)
	}
	var names []string
	targets := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 1 && strings.HasPrefix(words[0], "Fuzz"):
			names = append(names, words[0])
		case len(words) > 1 && words[0] == "ok":
			for _, name := range names {
				run := exec.Command("go", "test", "-run", "^"+name+"$", "-timeout", "0", words[1])
				run.Env = append(os.Environ(), fmt.Sprintf("CAROUSEL_FUZZ=%d", t.want), fmt.Sprintf("CAROUSEL_SEED=%d", t.seed))
				said, err := run.CombinedOutput()
				if err != nil {
					t.fail("%s %s: %v\n%s", words[1], name, err, said[max(0, len(said)-3000):])
				}
				t.counted(t.want)
				targets++
			}
			names = nil
		}
	}
	t.note("%d targets", targets)
	if targets == 0 {
		return fmt.Errorf("wanted fuzz targets, found none")
	}
	return nil
}

// W2: this program on 32 bits, with a tenth of the trials.
func narrow(t *tally) error {
	dir, err := os.MkdirTemp("", "carousel-torture-386-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir+"/torture", "./fuzz/torture")
	build.Env = append(os.Environ(), "GOARCH=386", "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build for 386: %w\n%s", err, said)
	}
	for _, id := range []string{"K1", "K3", "W1", "D2"} {
		i := 0
		for rows[i].id != id {
			i++
		}
		n := rows[i].long / 10
		if t.quick {
			n = rows[i].quick / 10
		}
		cmd := exec.Command(dir+"/torture", "-only", id, "-n", fmt.Sprint(n), "-seed", fmt.Sprint(t.seed))
		said, err := cmd.CombinedOutput()
		if err != nil {
			t.fail("%s on 386: %v\n%s", id, err, said)
		}
		t.counted(n)
	}
	return nil
}

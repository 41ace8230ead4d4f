package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// A copy of the test's own program, beside what is compiled, is every side.
func TestMain(m *testing.M) {
	if job, ok := os.LookupEnv(side.Variable); ok {
		os.Exit(side.Main(job, find))
	}
	os.Exit(m.Run())
}

func TestEveryPeerDeliversAllMessages(t *testing.T) {
	dir := t.TempDir()
	program := copyProgram(t, dir)
	for _, p := range peers {
		if p.build != nil {
			if err := p.build(t.Context(), dir); err != nil {
				t.Fatal(err)
			}
		}
		for i, work := range p.Works {
			t.Run(p.Name+" "+work, func(t *testing.T) {
				j := side.Job{
					Contestant: p.Name, Work: work, Mode: work, Sides: 2, Dir: t.TempDir(), Link: fmt.Sprintf("carousel-test-%d-%d", os.Getpid(), i),
					Span: 10 * time.Millisecond, Size: small, Batch: 1, Consumers: 1,
				}
				if p.OneAll {
					j.Sides = 1
				}
				t.Cleanup(func() {
					left, _ := filepath.Glob("/dev/shm/" + j.Link + "*")
					for _, name := range left {
						os.Remove(name)
					}
				})
				if counts := measure(t, program, j); counts[0] == 0 || counts[0] != counts[len(counts)-1] {
					t.Errorf("found %d messages sent and received, want as many", counts)
				}
			})
		}
	}
}

func copyProgram(t *testing.T, dir string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "peers")
	if err := os.WriteFile(program, b, 0o700); err != nil {
		t.Fatal(err)
	}
	return program
}

// measure returns how many messages each side counted.
func measure(t *testing.T, program string, j side.Job) (counts []uint64) {
	t.Helper()
	var cmds []*exec.Cmd
	var inputs []io.Closer
	outs, errs := make([]bytes.Buffer, j.Sides), make([]bytes.Buffer, j.Sides)
	for i := range j.Sides {
		j.Side = i
		cmd := exec.CommandContext(t.Context(), program)
		cmd.Env = append(os.Environ(), side.Variable+"="+j.String())
		cmd.Stdout, cmd.Stderr = &outs[i], &errs[i]
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds, inputs = append(cmds, cmd), append(inputs, in)
	}
	// Nobody goes on when its input ends.
	stop := time.AfterFunc(30*time.Second, func() {
		for _, in := range inputs {
			in.Close()
		}
	})
	defer stop.Stop()
	missing := ""
	for i, cmd := range cmds {
		err := cmd.Wait()
		if cmd.ProcessState.ExitCode() == side.Missing {
			missing = strings.TrimSpace(errs[i].String())
			continue
		}
		if err != nil {
			t.Errorf("side %d: %v: %s", i, err, errs[i].String())
			continue
		}
		var o side.Outcome
		if err := json.Unmarshal(outs[i].Bytes(), &o); err != nil {
			t.Errorf("side %d: %v", i, err)
		}
		counts = append(counts, o.Messages)
	}
	if missing != "" {
		t.Skip("SKIP: ", missing)
	}
	if len(counts) < j.Sides {
		t.FailNow()
	}
	return counts
}

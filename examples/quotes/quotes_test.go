//go:build linux && !carousel_portable

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/internal/leak"
)

// The test binary is the program, too.
const runVariable = "QUOTES_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(runVariable) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(leak.Check(m))
}

type process struct {
	*exec.Cmd
	output strings.Builder
}

// start starts the program. A publisher has its ring when start returns.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], args...)}
	p.Env = append(os.Environ(), runVariable+"=1")
	p.Stderr, p.Stdout = &p.output, &p.output
	var begun *bufio.Reader
	if args[0] == "publish" {
		p.Stdout = nil
		out, err := p.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		begun = bufio.NewReader(out)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	if begun != nil {
		if line, err := begun.ReadString('\n'); err != nil {
			t.Fatalf("publisher: %q, %v, %s", line, err, p.output.String())
		}
	}
	return p
}

func finish(t *testing.T, p *process) string {
	t.Helper()
	done := time.AfterFunc(20*time.Second, func() { _ = p.Process.Kill() })
	err := p.Wait()
	done.Stop()
	if err != nil {
		t.Errorf("%v: %v\n%s", p.Args[1:], err, p.output.String())
	}
	return p.output.String()
}

func TestBookMissesNothingWhenThePublisherIsKilled(t *testing.T) {
	url := fmt.Sprintf("-url=shm://quotes-test-%d", os.Getpid())
	book := start(t, "book", url)
	display := start(t, "display", url, "-every=5ms")

	first := start(t, "publish", url, "-consumers=2", "-every=200us")
	time.Sleep(100 * time.Millisecond)
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	finish(t, start(t, "publish", url, "-ticks=100", "-every=1ms"))

	if out := finish(t, book); !strings.Contains(out, "the publisher died") || !strings.Contains(out, " quotes of 2 publishers, 0 missing\n") {
		t.Errorf("book:\n%s", out)
	}
	if out := finish(t, display); !strings.Contains(out, " quotes, ") || !strings.Contains(out, "display: instrument 7 at ") {
		t.Errorf("display:\n%s", out)
	}
}

//go:build linux && !carousel_portable

package main

import (
	"bufio"
	"errors"
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
	out    *bufio.Reader
	said   strings.Builder // what has been read of that
	stderr strings.Builder
}

// start starts the program. A publisher has its ring when start returns.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], args...)}
	p.Env = append(os.Environ(), runVariable+"=1")
	p.Stderr = &p.stderr
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	if args[0] == "publish" {
		p.hear(t, "\n")
	}
	return p
}

// hear reads what the program says until that contains text.
func (p *process) hear(t *testing.T, text string) {
	t.Helper()
	late := time.AfterFunc(20*time.Second, func() { _ = p.Process.Kill() })
	defer late.Stop()
	for !strings.Contains(p.said.String(), text) {
		line, err := p.out.ReadString('\n')
		p.said.WriteString(line)
		if err != nil {
			_ = p.Process.Kill()
			_ = p.Wait() // then stderr is whole
			t.Fatalf("%v: wanted %q, found %q, %v\n%s", p.Args[1:], text, p.said.String(), err, p.stderr.String())
		}
	}
}

func finish(t *testing.T, p *process) string {
	t.Helper()
	late := time.AfterFunc(20*time.Second, func() { _ = p.Process.Kill() })
	defer late.Stop()
	_, err := p.out.WriteTo(&p.said)
	if err = errors.Join(err, p.Wait()); err != nil {
		t.Errorf("%v: %v\n%s%s", p.Args[1:], err, p.said.String(), p.stderr.String())
	}
	return p.said.String()
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
	book.hear(t, "the publisher died\n") // or the next one may be there before it has looked
	finish(t, start(t, "publish", url, "-ticks=100", "-every=1ms"))

	if out := finish(t, book); !strings.Contains(out, " quotes of 2 publishers, 0 missing\n") {
		t.Errorf("book:\n%s", out)
	}
	if out := finish(t, display); !strings.Contains(out, " quotes, ") || !strings.Contains(out, "display: instrument 7 at ") {
		t.Errorf("display:\n%s", out)
	}
}

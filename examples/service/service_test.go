//go:build linux && !carousel_portable

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/internal/leak"
	"github.com/carousel-ipc/carousel/ring"
)

// The test binary is the program, too.
const runVariable = "SERVICE_RUN"

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

func start(t *testing.T, dir, role string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], "-dir", dir, role)}
	p.Env = append(os.Environ(), runVariable+"=1")
	p.Stdout, p.Stderr = &p.output, &p.output
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

func finish(t *testing.T, p *process) string {
	t.Helper()
	late := time.AfterFunc(20*time.Second, func() { _ = p.Process.Kill() })
	err := p.Wait()
	late.Stop()
	if err != nil {
		t.Errorf("%v: %v\n%s", p.Args[1:], err, p.output.String())
	}
	return p.output.String()
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 10000 {
		if done() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("wanted", what)
}

func TestRequestsReachEveryFollower(t *testing.T) {
	dir := t.TempDir()
	server := start(t, dir, "serve")
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, "http.sock"))
		},
	}}
	defer client.CloseIdleConnections()
	call := func(r *http.Response, err error) (int, string) {
		t.Helper()
		if err != nil {
			return 0, err.Error()
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(b)
	}

	eventually(t, "a service", func() bool {
		code, _ := call(client.Get("http://service/consumers"))
		return code == http.StatusOK
	})
	followers := []*process{start(t, dir, "follow"), start(t, dir, "follow")}
	eventually(t, "two followers", func() bool {
		var s ring.Stats
		_, text := call(client.Get("http://service/consumers"))
		return json.Unmarshal([]byte(text), &s) == nil && len(s.Consumers) == 2 && s.Consumers[0].Sequence > 0 && s.Consumers[1].Sequence > 0
	})

	want := ""
	for i := range 3 {
		event := fmt.Sprintf("order %d was paid", 17+i)
		if code, text := call(client.Post("http://service/events", "text/plain", strings.NewReader(event))); code != http.StatusOK || text != fmt.Sprintln(i+1) {
			t.Errorf("%q: found %d, %q, want sequence %d", event, code, text, i+1)
		}
		want += fmt.Sprintf("%d %s\n", i+1, event)
	}
	if code, text := call(client.Post("http://service/events", "text/plain", strings.NewReader(strings.Repeat("x", 1<<20)))); code != http.StatusRequestEntityTooLarge {
		t.Errorf("an event as large as the ring: found %d, %q", code, text)
	}

	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	finish(t, server)
	for _, f := range followers {
		if got := finish(t, f); got != want {
			t.Errorf("a follower printed\n%swant\n%s", got, want)
		}
	}
}

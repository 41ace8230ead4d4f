package shm_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

// enough bounds what is expected to end much sooner.
const enough = 20 * time.Second

// childVar names the part that a copy of this test binary plays.
const childVar = "SHM_TEST_CHILD"

// children are those parts: each gets the arguments and returns its exit code.
var children = map[string]func(args []string) int{
	"hold": childHolds,
	"idle": func([]string) int { return childIdle() },
	"full": func(args []string) int { return childFillsTmpfs(args) },
	"fsiz": func(args []string) int { return childIsLimited(args) },
}

func TestMain(m *testing.M) {
	if part := os.Getenv(childVar); part != "" {
		os.Exit(children[part](os.Args[1:]))
	}
	os.Exit(m.Run())
}

// child is a process that plays a part. It says "ready" and waits until its
// standard input ends.
type child struct {
	cmd   *exec.Cmd
	ended bool
}

func startChild(t *testing.T, part string, args ...string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), childVar+"="+part)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd}
	t.Cleanup(func() { c.kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "ready" {
		t.Fatalf("child %s said %q, %v", part, line, err)
	}
	return c
}

// kill ends the child by SIGKILL and takes note of its end.
func (c *child) kill() {
	if !c.ended {
		c.ended = true
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	}
}

func childIdle() int {
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1))
	return 0
}

// childHolds takes the lock of role 1 of the file that args name.
func childHolds(args []string) int {
	f, err := shm.Open(args[0], shm.ReadWrite)
	if err == nil {
		_, err = f.TryLock(1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return childIdle()
}

// publish makes a file that a test uses, and closes it when the test ends.
func publish(t *testing.T, size int64) *shm.File {
	t.Helper()
	return publishAs(t, t.TempDir()+"/segment", size)
}

func publishAs(t *testing.T, path string, size int64) *shm.File {
	t.Helper()
	f, err := shm.Create(path, size, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if err := f.Publish(); err != nil {
		t.Fatal(err)
	}
	return f
}

func open(t *testing.T, path string, a shm.Access) *shm.File {
	t.Helper()
	f, err := shm.Open(path, a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// eventually waits until is says true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for begin := time.Now(); !is(); time.Sleep(100 * time.Microsecond) {
		if time.Since(begin) > enough {
			t.Fatalf("not within %v: %s", enough, what)
		}
	}
}

package confined

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// home is a folder that every user can reach, with the two commands and this
// binary in it: the places of these tests are no good for go build.
var home struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	Enter()
	code := m.Run()
	if home.dir != "" {
		_ = os.RemoveAll(home.dir)
	}
	os.Exit(code)
}

// command is the path of a command, or of this binary ("test").
func command(t *testing.T, name string) string {
	t.Helper()
	home.once.Do(func() { home.err = furnish() })
	if home.err != nil {
		t.Fatal(home.err)
	}
	return filepath.Join(home.dir, name)
}

func furnish() (err error) {
	if home.dir, err = os.MkdirTemp("", "confined-"); err != nil {
		return err
	}
	if err := os.Chmod(home.dir, 0o755); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-o", home.dir, "../../cmd/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(home.dir, "test"), text, 0o755)
}

func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIP: needs root, to make namespaces and to become other users")
	}
}

// folders are one to share, for sockets and files, and one for rings, in
// memory, that containers have in place of /dev/shm. Both belong to user.
func folders(t *testing.T, user int) (shared, memory string) {
	t.Helper()
	make := func(dir string) string {
		name, err := os.MkdirTemp(dir, "carousel-confined-")
		if err == nil {
			err = errors.Join(os.Chmod(name, 0o755), os.Chown(name, user, user))
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(name) })
		return name
	}
	return make(""), make("/dev/shm")
}

// process is one command in a place. It is killed at the end of the test.
type process struct {
	*exec.Cmd
	t           *testing.T
	out, stderr bytes.Buffer
	done        chan struct{}
}

// run starts one of the commands.
func run(t *testing.T, p Place, input []byte, program string, args ...string) *process {
	t.Helper()
	return start(t, p, input, command(t, program), args...)
}

// start starts a program without HOME, in the root folder.
func start(t *testing.T, p Place, input []byte, path string, args ...string) *process {
	t.Helper()
	c := &process{Cmd: CommandBy(command(t, "test"), p, path, args...), t: t, done: make(chan struct{})}
	c.Dir, c.Env = "/", append(withoutHome(c.Env), "PATH=/bin:/usr/bin")
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(input), &c.out, &c.stderr
	c.WaitDelay = 5 * time.Second
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.done)
		_ = c.Wait()
	}()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		<-c.done
	})
	return c
}

func withoutHome(env []string) (kept []string) {
	for _, v := range env {
		if !strings.HasPrefix(v, "HOME=") && !strings.HasPrefix(v, "TMPDIR=") && !strings.HasPrefix(v, "XDG_") {
			kept = append(kept, v)
		}
	}
	return kept
}

// exit waits for the end and returns the code.
func (c *process) exit() int {
	c.t.Helper()
	select {
	case <-c.done:
	case <-time.After(patience):
		_ = c.Process.Signal(unix.SIGQUIT) // for a look at where it is
		select {
		case <-c.done:
		case <-time.After(2 * time.Second):
		}
		c.t.Fatalf("%v has not ended after %v\n%s", c.Args, patience, c.stderr.String())
	}
	return c.ProcessState.ExitCode()
}

// wants checks the end of a command.
func (c *process) wants(code int, says string) {
	c.t.Helper()
	if found := c.exit(); found != code || !strings.Contains(c.stderr.String(), says) {
		c.t.Errorf("%v: exit %d, wanted %d and %q\n%s", c.Args[1:], found, code, says, c.stderr.String())
	}
}

var patience = func() time.Duration {
	if real() {
		return 2 * time.Minute
	}
	return 20 * time.Second
}()

// real asks for the large input.
func real() bool { return os.Getenv("CAROUSEL_REAL") != "" }

// Users of these tests: nobody, and who is 0 in user namespaces.
const (
	nobody   = 65534
	stranger = 100_000
)

// as is a place with another user.
func as(user uint32, p Place) Place {
	p.User = user
	return p
}

// withUsers is a place with users of its own.
func withUsers(p Place) Place {
	p.Namespaces |= unix.CLONE_NEWUSER
	p.Outside = stranger
	return p
}

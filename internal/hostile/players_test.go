//go:build linux && !carousel_portable

package hostile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Who plays. That they are four different users is the point.
const (
	root         = 0
	honestUser   = 65532
	producerUser = 65533
	nobody       = 65534
)

// enough bounds what is expected to end much sooner.
const enough = 20 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// needRoot skips where processes of other users cannot be had.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIP: needs root, to run processes as other users")
	}
	if text, err := os.ReadFile(os.Args[0]); err == nil && bytes.HasPrefix(text, []byte("#!")) {
		t.Skip("SKIP: an emulator runs this, and other users cannot reach it")
	}
}

// scene is a folder for sockets, which belongs to the producer's user, and a
// copy of this binary that everybody may run.
type scene struct {
	t      *testing.T
	folder string
	binary string
}

// newScene makes a folder whose names others may use but not list, nor lock:
// mode 0711.
func newScene(t *testing.T) *scene {
	t.Helper()
	needRoot(t)
	dir, err := os.MkdirTemp("", "carousel-hostile-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	s := &scene{t: t, folder: filepath.Join(dir, "sockets"), binary: filepath.Join(dir, "binary")}
	must(t, os.Mkdir(s.folder, 0o711))
	must(t, os.Chmod(s.folder, 0o711)) // whatever the umask
	must(t, os.Chown(s.folder, producerUser, producerUser))
	text, err := os.ReadFile(os.Args[0])
	must(t, err)
	must(t, os.WriteFile(s.binary, text, 0o755))
	must(t, os.Chmod(s.binary, 0o755))
	return s
}

func (s *scene) socket(name string) string { return filepath.Join(s.folder, name) }

// player is a process that plays a part.
type player struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	done chan struct{} // closed when it says no more

	mu    sync.Mutex
	heard map[string]chan string
}

// start starts a player as a user and waits until it is ready.
func (s *scene) start(user uint32, role string, env ...string) *player {
	s.t.Helper()
	p, err := s.tryStart(user, role, env...)
	must(s.t, err)
	return p
}

func (s *scene) tryStart(user uint32, role string, env ...string) (*player, error) {
	cmd := exec.Command(s.binary)
	cmd.Dir = "/"
	cmd.Env = append(append(os.Environ(), roleEnv+"="+role), env...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &player{cmd: cmd, in: in, done: make(chan struct{}), heard: map[string]chan string{}}
	s.t.Cleanup(p.end)
	go p.listen(out)
	if _, err := p.hear("ready", enough); err != nil {
		p.end()
		return nil, fmt.Errorf("%s: %w", role, err)
	}
	return p, nil
}

func (p *player) pid() int { return p.cmd.Process.Pid }

func (p *player) listen(out io.Reader) {
	defer close(p.done)
	for in := bufio.NewScanner(out); in.Scan(); {
		word, rest, _ := strings.Cut(in.Text(), " ")
		p.channel(word) <- rest
	}
}

func (p *player) channel(word string) chan string {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.heard[word]
	if c == nil {
		c = make(chan string, 64)
		p.heard[word] = c
	}
	return c
}

func (p *player) tell(command string, args ...any) {
	_, _ = fmt.Fprintln(p.in, append([]any{command}, args...)...) // a dead one is found by hear
}

var errSilent = errors.New("no answer")

// hear waits for the answer to a command.
func (p *player) hear(command string, within time.Duration) (string, error) {
	c := p.channel(command)
	limit := time.NewTimer(within)
	defer limit.Stop()
	select {
	case text := <-c:
		return text, nil
	case <-p.done:
	case <-limit.C:
		return "", fmt.Errorf("%w to %s within %v", errSilent, command, within)
	}
	select { // said before it ended
	case text := <-c:
		return text, nil
	default:
		return "", fmt.Errorf("%w to %s: the process has ended", errSilent, command)
	}
}

func (p *player) ask(within time.Duration, command string, args ...any) (string, error) {
	p.tell(command, args...)
	return p.hear(command, within)
}

// do asks for what has to be answered with "ok", and returns what is behind it.
func (p *player) do(within time.Duration, command string, args ...any) (string, error) {
	return isOK(p.ask(within, command, args...))
}

func isOK(text string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	word, rest, _ := strings.Cut(text, " ")
	if word != "ok" {
		return "", errors.New(text)
	}
	return rest, nil
}

// end kills it. SIGKILL ends a stopped process, too.
func (p *player) end() {
	_ = p.in.Close()
	_ = p.cmd.Process.Kill()
	<-p.done
	_ = p.cmd.Wait()
}

//go:build linux && !carousel_portable

package hostile

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/internal/leak"
	"github.com/carousel-ipc/carousel/ring"
)

// namedRole is the producer, or a consumer, of the ring NAME. It stays until it
// is killed.
func namedRole() (commands, error) {
	r, err := ring.Open(os.Getenv("NAME"))
	if err != nil {
		return nil, err
	}
	if os.Getenv("PART") == "producer" {
		_, err = r.NewProducer()
	} else {
		_, err = r.NewConsumer(ring.ConsumerConfig{})
	}
	return commands{}, err
}

// TestPidsComeBack is P1: the pid of a dead producer or consumer is given to
// a stranger, who lives. Nobody takes him for the dead. CAROUSEL_PIDS is how
// often.
func TestPidsComeBack(t *testing.T) {
	needRoot(t)
	rounds := 20
	if n, err := strconv.Atoi(os.Getenv("CAROUSEL_PIDS")); err == nil {
		rounds = n
	}
	name := leak.Prefix() + "pids"
	r, err := ring.Create(name, ring.Config{Capacity: ring.MinCapacity, Slots: 2})
	must(t, err)
	t.Cleanup(func() { must(t, errors.Join(r.Close(), ring.Remove(name))) })
	s := newScene(t)
	falseAlive, falseDead := 0, 0
	for range rounds {
		for _, part := range []string{"producer", "consumer"} {
			dead := s.start(root, "named", "NAME="+name, "PART="+part)
			if !lives(t, r, part) {
				falseDead++
			}
			dead.end()
			stranger, err := strangerOf(dead.pid())
			must(t, err)
			if err := unix.Kill(dead.pid(), 0); err != nil {
				t.Errorf("the stranger %d: %v", dead.pid(), err)
			}
			if lives(t, r, part) {
				falseAlive++
			}
			// Whoever comes next gets the place, with the stranger alive.
			next := s.start(root, "named", "NAME="+name, "PART="+part)
			if !lives(t, r, part) {
				falseDead++
			}
			next.end()
			stranger()
		}
	}
	t.Logf("%d rounds: %d false alive, %d false dead (95%% bound %.0e)", 2*rounds, falseAlive, falseDead, 3/float64(2*rounds))
	if falseAlive+falseDead > 0 {
		t.Errorf("%d false alive, %d false dead, want none", falseAlive, falseDead)
	}
}

func lives(t *testing.T, r *ring.Ring, part string) bool {
	t.Helper()
	s, err := r.Stats()
	must(t, err)
	if part == "producer" {
		return s.Producer.Alive
	}
	for _, c := range s.Consumers {
		if c.Alive {
			return true
		}
	}
	return false
}

// strangerOf starts a process that has a certain pid: the kernel gives out the
// one behind ns_last_pid, if nobody else takes it meanwhile. end ends it.
func strangerOf(pid int) (end func(), err error) {
	for begun := time.Now(); time.Since(begun) < enough; {
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0); err != nil {
			return nil, err
		}
		cmd := exec.Command("sleep", "60")
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		end := func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
		if cmd.Process.Pid == pid {
			return end, nil
		}
		end()
	}
	return nil, fmt.Errorf("no process got pid %d within %v", pid, enough)
}

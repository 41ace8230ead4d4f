package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/carousel-ipc/carousel/internal/monotonic"
	"github.com/carousel-ipc/carousel/ring"
)

// A memory cgroup with a limit, of the first or of the second kind.
type cage struct{ dir, procs string }

func newCage(limit int64) (*cage, error) {
	name := fmt.Sprintf("carousel-torture-%d", os.Getpid())
	for _, kind := range []struct{ root, limit string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"},
	} {
		if _, err := os.Stat(kind.root + "/cgroup.procs"); err != nil {
			continue
		}
		dir := filepath.Join(kind.root, name)
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		c := &cage{dir, filepath.Join(dir, "cgroup.procs")}
		if err := os.WriteFile(filepath.Join(dir, kind.limit), []byte(strconv.FormatInt(limit, 10)), 0o644); err != nil {
			return nil, errors.Join(err, c.remove())
		}
		// Where there is swap, it would take the place of the kill.
		for _, swap := range []string{"memory.swap.max", "memory.swappiness"} {
			_ = os.WriteFile(filepath.Join(dir, swap), []byte("0"), 0o644)
		}
		return c, nil
	}
	return nil, errors.New("no memory cgroups")
}

func (c *cage) put(pid int) error { return os.WriteFile(c.procs, []byte(strconv.Itoa(pid)), 0o644) }

func (c *cage) remove() (err error) {
	for range 100 {
		if err = os.Remove(c.dir); err == nil || errors.Is(err, os.ErrNotExist) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// needCage tells why processes cannot be put under a limit of memory.
func needCage() string {
	if os.Geteuid() != 0 {
		return "needs root, to limit the memory of a process"
	}
	c, err := newCage(64 << 20)
	if err != nil {
		return err.Error()
	}
	_ = c.remove()
	return ""
}

// gluttonRole takes a part in a ring and then, told to, more memory than there
// is for it.
func gluttonRole(args []string) error {
	<-asks // it is under its limit
	r, err := ring.Open(args[0])
	if err != nil {
		return err
	}
	if args[1] == "producer" {
		p, err := r.NewProducer()
		if err != nil {
			return err
		}
		if err := publish(p, 100); err != nil {
			return err
		}
		fmt.Println("ready", p.Sequence()-1)
	} else {
		if _, err := r.NewConsumer(ring.ConsumerConfig{}); err != nil {
			return err
		}
		fmt.Println("ready", 0)
	}
	<-asks
	var all [][]byte
	for {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
		if len(all)%1000 == 0 {
			return errors.New("has more memory than its limit")
		}
	}
}

// K5: for want of memory the kernel kills a consumer of one ring and the
// producer of another, in turns.
func killForMemory(t *tally) (err error) {
	c, err := newCage(48 << 20)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.remove()) }()
	var rings [2]*ring.Ring
	var all [2]*witness
	var names [2]string
	for i := range rings {
		names[i] = fmt.Sprint(prefix(), "k5-", i)
		if rings[i], err = ring.Create(names[i], ring.Config{Capacity: 1 << 16, Prefault: true}); err != nil {
			return err
		}
		if all[i], err = newWitness(rings[i], ring.ConsumerConfig{Wait: ring.Block}); err != nil {
			return err
		}
	}
	f, err := startFlow(rings[0])
	if err != nil {
		return err
	}
	for i := 0; t.trial(); i++ {
		if i%2 == 0 {
			err = killHungryConsumer(t, c, names[0], rings[0], f, all[0])
		} else {
			err = killHungryProducer(t, c, names[1], all[1])
		}
		if err != nil {
			t.fail("%v", err)
			break
		}
	}
	err = f.close()
	for i, r := range rings {
		err = errors.Join(err, all[i].end(), r.Close(), ring.Remove(names[i]))
	}
	return err
}

// hungry starts a glutton in the cage; feed lets it eat until it is killed, and
// returns when.
func hungry(c *cage, name, as string) (g *child, last uint64, err error) {
	if g, err = startChild("glutton", name, as); err != nil {
		return nil, 0, err
	}
	if err := errors.Join(c.put(g.Process.Pid), g.tell("go")); err != nil {
		return nil, 0, err
	}
	line, err := g.hear()
	if err == nil {
		_, err = fmt.Sscanf(line, "ready %d", &last)
	}
	return g, last, err
}

func feed(t *tally, g *child) (at int64, err error) {
	if err := g.tell("eat"); err != nil {
		return 0, err
	}
	// The kernel does not say when it kills; the end of its output is the
	// nearest there is.
	for range g.out {
	}
	at = monotonic.Now()
	g.reap()
	if status, ok := g.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.fail("wanted a kill, found %v: %s", g.ProcessState, strings.TrimSpace(g.stderr.String()))
	}
	return at, nil
}

func killHungryConsumer(t *tally, c *cage, name string, r *ring.Ring, f *flow, w *witness) error {
	g, _, err := hungry(c, name, "consumer")
	if err != nil {
		return err
	}
	at, err := feed(t, g)
	if err != nil {
		return err
	}
	if err := await("the dead to be no more", func() bool { return attached(r) == 1 }); err != nil {
		return err
	}
	seq := w.last.Load()
	if err := await("records after the kill", func() bool { return w.last.Load() > seq+1000 || w.alive() != nil }); err != nil {
		return err
	}
	s := f.slowest(at)
	t.delayed(s.from, s.to, "the producer's wait after the kill")
	return w.alive()
}

func killHungryProducer(t *tally, c *cage, name string, w *witness) error {
	g, last, err := hungry(c, name, "producer")
	if err != nil {
		return err
	}
	deaths := w.deaths.Load()
	at, err := feed(t, g)
	if err != nil {
		return err
	}
	if err := await("the death to be told", func() bool { return w.deaths.Load() > deaths || w.alive() != nil }); err != nil {
		return err
	}
	t.delayed(at, max(at, w.heardAt.Load()), "to tell of the death")
	if got := w.last.Load(); got != last {
		t.fail("the consumer has %d records, want %d", got, last)
	}
	return w.alive()
}

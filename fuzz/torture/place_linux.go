package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/ring"
)

// narrowRole makes a ring where it may not have what it needs for it, and says
// what came of that.
func narrowRole(args []string) error {
	<-asks // it is under its limit
	capacity, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	// Go's poller takes its descriptors when it is first used, and dies for want
	// of them: that is nothing of ours.
	pipe, end, err := os.Pipe()
	if err != nil {
		return err
	}
	if err := errors.Join(pipe.Close(), end.Close()); err != nil {
		return err
	}
	if n, err := strconv.ParseUint(args[2], 10, 64); err == nil && n > 0 {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n}); err != nil {
			return err
		}
	}
	r, err := ring.Create(args[0], ring.Config{Capacity: capacity, Prefault: true})
	if err == nil {
		var p *ring.Producer
		if p, err = r.NewProducer(); err == nil {
			for range 2 * capacity / 300 {
				if err = publish(p, 1); err != nil {
					break
				}
			}
			err = errors.Join(err, p.Close())
		}
		err = errors.Join(err, r.Close(), ring.Remove(args[0]))
	}
	if err != nil {
		fmt.Println("error:", strings.ReplaceAll(err.Error(), "\n", "; "))
	} else {
		fmt.Println("made")
	}
	return nil
}

// limits is E1 beyond the tests of small file systems: few descriptors and
// little memory. Either the ring is made and works, or there is an error.
func limits(t *tally) error {
	for files := 3; files < 24; files++ {
		t.counted(1)
		if _, err := confine(t, nil, 1<<16, files); err != nil {
			t.fail("%d descriptors: %v", files, err)
		}
	}
	if why := needCage(); why != "" {
		t.note("SKIP: a limit of memory: %s", why)
		return nil
	}
	c, err := newCage(32 << 20)
	if err != nil {
		return err
	}
	defer c.remove()
	for _, row := range []struct {
		capacity int
		fits     bool
	}{{1 << 20, true}, {64 << 20, false}, {1 << 30, false}} {
		t.counted(1)
		said, err := confine(t, c, row.capacity, 0)
		if err != nil {
			t.fail("a ring of %d MiB where there are 32: %v", row.capacity>>20, err)
		} else if (said == "made") != row.fits {
			t.fail("a ring of %d MiB where there are 32: %s", row.capacity>>20, said)
		}
	}
	return nil
}

// confine runs narrowRole and returns what it says; the error is that it died.
func confine(t *tally, limit *cage, capacity, files int) (said string, err error) {
	c, err := startChild("narrow", prefix()+"e1", strconv.Itoa(capacity), strconv.Itoa(files))
	if err != nil {
		return "", err
	}
	defer c.kill()
	if limit != nil {
		if err := limit.put(c.Process.Pid); err != nil {
			return "", err
		}
	}
	if err := c.tell("go"); err != nil {
		return "", err
	}
	said, err = c.hear()
	if code := c.reap(); code != 0 {
		sweep()
		return said, fmt.Errorf("it ended with %v, want an error: %w %s", c.ProcessState, err, c.stderr.String())
	}
	return said, nil
}

// lookRole says how many descriptors and mappings it has that it should not.
func lookRole([]string) error {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	var strange []string
	for _, f := range fds {
		to, err := os.Readlink("/proc/self/fd/" + f.Name())
		if err == nil && (strings.Contains(to, "/dev/shm") || strings.Contains(to, "memfd:")) {
			strange = append(strange, to)
		}
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return err
	}
	for line := range bytes.Lines(maps) {
		if bytes.Contains(line, []byte("/dev/shm")) || bytes.Contains(line, []byte("memfd:")) {
			strange = append(strange, string(bytes.TrimSpace(line)))
		}
	}
	fmt.Println(len(strange), strange)
	return nil
}

// E5: children that are started while a ring is in use have nothing of it.
func inherit(t *tally) error {
	name := prefix() + "e5"
	r, err := ring.Create(name, ring.Config{Capacity: 1 << 16})
	if err != nil {
		return err
	}
	served, err := ring.Serve(nil, ring.ServeConfig{Config: ring.Config{Capacity: 1 << 16}})
	if err != nil {
		return err
	}
	sp, err := served.NewProducer()
	if err != nil {
		return err
	}
	w, err := newWitness(r, ring.ConsumerConfig{})
	if err != nil {
		return err
	}
	f, err := startFlow(r)
	if err != nil {
		return err
	}
	for t.trial() {
		c, err := startChild("look")
		if err != nil {
			return err
		}
		if line, err := c.hear(); err != nil || line != "0 []" {
			t.fail("a child has of the ring: %s, %v", line, err)
		}
		c.reap()
	}
	return errors.Join(f.close(), w.end(), sp.Close(), served.Close(), r.Close(), ring.Remove(name))
}

// E6: producer and consumers are stopped together, for seconds, and go on: no
// death, no eviction, no loss. A trial is a second.
func stopGroup(t *tally) error {
	name := prefix() + "e6"
	r, err := ring.Create(name, ring.Config{Capacity: 1 << 16})
	if err != nil {
		return err
	}
	notes, err := newNotepad()
	if err != nil {
		return err
	}
	var all []*child
	pgid := 0
	join := func(role string, args ...string) error {
		c, err := startChildAs(&syscall.SysProcAttr{Setpgid: true, Pgid: pgid}, role, args...)
		if err != nil {
			return err
		}
		all = append(all, c)
		if pgid == 0 {
			pgid = c.Process.Pid
		}
		return nil
	}
	end := func() {
		for _, c := range all {
			c.kill()
		}
	}
	defer end()
	for _, policy := range []string{"reliable", "lossy", "deadline=5m"} {
		if err := join("soak", name, policy, strconv.FormatUint(1<<40, 10), "0s"); err != nil {
			return err
		}
		if _, err := all[len(all)-1].hear(); err != nil {
			return err
		}
	}
	if err := join("publish", name, notes.path, "6"); err != nil {
		return err
	}
	acked := notes.word(noteAcked)
	more := func() error {
		seq := acked.Load()
		return await("records", func() bool { return acked.Load() > seq+1000 })
	}
	if err := more(); err != nil {
		return err
	}
	before, err := r.Stats()
	if err != nil {
		return err
	}
	if err := syscall.Kill(-pgid, syscall.SIGSTOP); err != nil {
		return err
	}
	time.Sleep(time.Duration(t.want) * time.Second)
	t.counted(t.want)
	stopped, err := r.Stats()
	if err != nil {
		return err
	}
	if !stopped.Producer.Alive || len(stopped.Consumers) != len(before.Consumers) {
		t.fail("stopped ones are taken for dead: %+v", stopped)
	}
	if err := syscall.Kill(-pgid, syscall.SIGCONT); err != nil {
		return err
	}
	if err := more(); err != nil {
		return err
	}
	after, err := r.Stats()
	if err != nil {
		return err
	}
	if after.Producer.Evictions > 0 || after.Epoch != before.Epoch {
		t.fail("after the stop: %d evictions, epoch %d, want none and %d", after.Producer.Evictions, after.Epoch, before.Epoch)
	}
	for _, c := range all {
		if err := c.signal(0); err != nil || c.stderr.String() != "" {
			t.fail("%s after the stop: %v %s", c.role, err, c.stderr.String())
		}
	}
	end()
	return errors.Join(notes.remove(), r.Close(), ring.Remove(name))
}

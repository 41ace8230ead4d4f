package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/internal/monotonic"
	"github.com/carousel-ipc/carousel/ring"
)

// idleRole is a consumer, or one who only takes time, of the lowest priority or
// the usual one.
func idleRole(args []string) error {
	if args[1] == "hog" {
		fmt.Println("ready")
		for {
			spin.Add(1)
		}
	}
	r, err := ring.Open(args[0])
	if err != nil {
		return err
	}
	c, err := r.NewConsumer(ring.ConsumerConfig{Policy: ring.Lossy})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		if _, err := c.Next(background); err != nil && !errors.Is(err, ring.ErrOverrun) {
			return err
		}
		if err := c.Release(); err != nil && !errors.Is(err, ring.ErrOverrun) {
			return err
		}
	}
}

// lower gives all threads of a process the lowest priority there is.
func lower(pid int) error {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil {
			return err
		}
		const schedIdle = 5
		if err := unix.SchedSetAttr(tid, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: schedIdle}, 0); err != nil {
			return err
		}
	}
	return nil
}

// S3: consumers that hardly ever run, because others take all processors, hold
// nothing that the producer needs. A trial is a batch.
func invert(t *tally) error {
	name := prefix() + "s3"
	r, err := ring.Create(name, ring.Config{Capacity: 1 << 16})
	if err != nil {
		return err
	}
	var all []*child
	for i := range runtime.NumCPU() + 3 {
		part := "hog"
		if i < 3 {
			part = "consumer"
		}
		c, err := startChild("idle", name, part)
		if err != nil {
			return err
		}
		defer c.kill()
		all = append(all, c)
		if err := c.expect("ready"); err != nil {
			return err
		}
		if part == "consumer" {
			if err := lower(c.Process.Pid); err != nil {
				return err
			}
		}
	}
	p, err := r.NewProducer()
	if err != nil {
		return err
	}
	// A collection of garbage is not the ring's.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &before); err != nil {
		return err
	}
	for t.trial() {
		from := monotonic.Now()
		if err := publish(p, 8); err != nil {
			return err
		}
		if to := monotonic.Now(); to-from > int64(time.Millisecond) {
			t.delayed(from, to, "a batch")
		}
	}
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &after); err != nil {
		return err
	}
	s, err := r.Stats()
	if err != nil {
		return err
	}
	gave := int(after.Nvcsw - before.Nvcsw)
	t.note("%d batches: the producer gave up its processor %d times, lost it %d times", t.trials, gave, after.Nivcsw-before.Nivcsw)
	// Go's runtime gives one up now and then; a ring that waits would do it for each lap.
	if gave > t.trials/1000+20 || s.Producer.CreditWaits > 0 {
		t.fail("the producer gave up its processor %d times and waited for credit %d times, want neither", gave, s.Producer.CreditWaits)
	}
	for _, c := range all {
		c.kill()
	}
	return errors.Join(p.Close(), r.Close(), ring.Remove(name))
}

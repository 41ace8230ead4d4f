package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/internal/monotonic"
	"github.com/carousel-ipc/carousel/ring"
)

// openDamaged opens the ring of an E2 trial: named in shared memory, or a file.
func openDamaged(kind, name string, create bool) (*ring.Ring, error) {
	cfg := ring.Config{Capacity: 1 << 16, Slots: 4, Checksum: true}
	switch {
	case kind == "file" && create:
		return ring.CreateFile(name, cfg)
	case kind == "file":
		return ring.OpenFile(name)
	case create:
		return ring.Create(name, cfg)
	}
	return ring.Open(name)
}

// told is an error that E2 may end with.
func told(err error) bool {
	return errors.Is(err, ring.ErrTruncated) || errors.Is(err, ring.ErrCorrupt) || errors.Is(err, ring.ErrOverrun) ||
		errors.Is(err, ring.ErrEvicted) || errors.Is(err, ring.ErrFormat) || errors.Is(err, ring.ErrProducerDied)
}

// damagedRole writes to a ring or reads it, under a guard, in one goroutine,
// and turns in others on a ring of its own, until it is told that its file is
// damaged, or to end. It says how long its last call took, and what became of it
// and of the others.
func damagedRole(args []string) error {
	kind, name, part := args[0], args[1], args[2]
	r, err := openDamaged(kind, name, false)
	if err != nil {
		return err
	}
	use := func() error { return errors.New("nothing to do") }
	var stop atomic.Bool
	var from atomic.Int64
	switch part {
	case "write":
		p, err := r.NewProducer()
		if err != nil {
			return err
		}
		defer p.Close()
		use = func() error {
			// No call waits, so that each that is told is told at once.
			from.Store(monotonic.Now())
			seq := p.Sequence()
			b, err := p.TryReserve(sizeOf(seq))
			if errors.Is(err, ring.ErrFull) {
				time.Sleep(50 * time.Microsecond)
				return nil
			}
			if err != nil {
				return err
			}
			fill(b, seq)
			return p.Commit()
		}
	default:
		policy, err := ring.ParsePolicy(part)
		if err != nil {
			return err
		}
		c, err := r.NewConsumer(ring.ConsumerConfig{Policy: policy})
		if err != nil {
			return err
		}
		defer c.Close()
		var is checker
		use = func() error {
			from.Store(monotonic.Now())
			rec, err := c.TryNext()
			if errors.Is(err, ring.ErrEmpty) {
				time.Sleep(50 * time.Microsecond)
				return nil
			}
			if err != nil {
				return err
			}
			if err := is.check(rec); err != nil && policy == ring.Reliable {
				// The bytes went after the checksum was verified.
				if whole := ring.Guard(c.Release); whole != nil {
					return whole
				}
				return fmt.Errorf("%w: %w", ring.ErrCorrupt, err)
			}
			return c.Release()
		}
	}
	others, end := turnOthers()
	fmt.Println("ready")
	ended := make(chan error, 1)
	go func() {
		ended <- ring.Guard(func() error {
			for !stop.Load() {
				switch err := use(); {
				case err == io.EOF: // the writer was asked to end first
					return nil
				case err != nil:
					return err
				}
			}
			return nil
		})
	}()
	go func() {
		<-asks
		stop.Store(true)
	}()
	err = <-ended
	took := monotonic.Now() - from.Load()
	turned := others.Load()
	alive := await("the others", func() bool { return others.Load() > turned }) == nil
	if e := end(); e != nil {
		return fmt.Errorf("on another ring: %w", e)
	}
	switch {
	case err == nil:
		fmt.Println("whole", took, alive)
	case told(err):
		fmt.Println("told", took, alive, strings.ReplaceAll(err.Error(), "\n", "; "))
	default:
		return err
	}
	return nil
}

// turnOthers publishes and reads beside, on a ring in memory, and counts.
func turnOthers() (turned *atomic.Int64, end func() error) {
	turned = new(atomic.Int64)
	var stop atomic.Bool
	var wg sync.WaitGroup
	var failure error
	wg.Go(func() {
		r, err := ring.Anonymous(ring.Config{Capacity: ring.MinCapacity})
		if err != nil {
			failure = err
			return
		}
		p, perr := r.NewProducer()
		c, cerr := r.NewConsumer(ring.ConsumerConfig{})
		failure = errors.Join(perr, cerr)
		for failure == nil && !stop.Load() {
			if failure = publish(p, 1); failure == nil {
				if _, failure = c.TryNext(); failure == nil {
					failure = c.Release()
				}
			}
			turned.Add(1)
			time.Sleep(20 * time.Microsecond)
		}
	})
	return turned, func() error { stop.Store(true); wg.Wait(); return failure }
}

// damage is one way to harm a file under those who use it. Where it takes
// bytes away all have to be told; otherwise they may go on.
type damage struct {
	what string
	do   func(t *tally, path string) error
}

var damages = []damage{
	{"truncated", func(t *tally, path string) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, t.rng.Int64N(info.Size()))
	}},
	{"truncated and grown again", func(t *tally, path string) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		return errors.Join(os.Truncate(path, t.rng.Int64N(info.Size())), os.Truncate(path, info.Size()))
	}},
	{"replaced", func(t *tally, path string) error {
		if err := os.WriteFile(path+".new", []byte("another"), 0o600); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	}},
	{"overwritten", func(t *tally, path string) error { return os.WriteFile(path, []byte("another"), 0o600) }},
	{"hole-punched", func(t *tally, path string) error {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		at := t.rng.Int64N(info.Size())
		return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, at, 1+t.rng.Int64N(info.Size()-at))
	}},
}

// E2: a writer and readers of both kinds, in processes of their own, and then
// something happens to one file of the ring, or to both.
func damageFiles(t *tally) error {
	dir, err := os.MkdirTemp("", "carousel-torture-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	said := map[string]int{}
	for t.trial() {
		kind, name, path := "file", filepath.Join(dir, strconv.Itoa(t.trials)), filepath.Join(dir, strconv.Itoa(t.trials))
		if t.rng.IntN(2) == 0 {
			kind, name = "shm", prefix()+"e2"
			path = filepath.Join("/dev/shm", name)
		}
		d := damages[t.rng.IntN(len(damages))]
		if err := t.damageOne(kind, name, path, d, said); err != nil {
			t.fail("%s %s: %v", kind, d.what, err)
		}
		_ = os.Remove(path + ".ring")
		_ = os.Remove(path + ".slots")
	}
	slices.Sort(t.times)
	if n := len(t.times); n > 0 {
		t.note("%d times told, by a call that took %v at the median, %v at p90; %d times nothing was missed",
			said["told"], t.times[n/2], t.times[n*9/10], said["whole"])
	}
	return nil
}

func (t *tally) damageOne(kind, name, path string, d damage, said map[string]int) error {
	r, err := openDamaged(kind, name, true)
	if err != nil {
		return err
	}
	if err := r.Close(); err != nil {
		return err
	}
	var all []*child
	for _, part := range []string{"write", "reliable", "lossy"} {
		c, err := startChild("damaged", kind, name, part)
		if err != nil {
			return err
		}
		defer c.kill()
		all = append(all, c)
		if err := c.expect("ready"); err != nil {
			return err
		}
	}
	time.Sleep(time.Duration(t.rng.IntN(2000)) * time.Microsecond)
	for which := 1 + t.rng.IntN(3); which > 0; which &= which - 1 {
		file := path + ".ring"
		if which&1 == 0 {
			file = path + ".slots"
		}
		if err := d.do(t, file); err != nil {
			return err
		}
	}
	at := monotonic.Now()
	time.Sleep(5 * time.Millisecond)
	for _, c := range all {
		_ = c.tell("end")
	}
	for i := range all { // the writer, who may wait for readers, last
		c := all[len(all)-1-i]
		line, err := c.hear()
		if err != nil {
			return fmt.Errorf("%v: %w", c.Args[1:], err)
		}
		var what string
		var took int64
		var alive bool
		if _, err := fmt.Sscan(line, &what, &took, &alive); err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
		said[what]++
		if !alive {
			t.fail("%s %s: other goroutines stood still", kind, d.what)
		}
		if what == "told" {
			t.times = append(t.times, time.Duration(took))
			t.delayed(at, at+took, fmt.Sprintf("%s %s: the call that was told of it, %s", kind, d.what, line))
		}
		if code := c.reap(); code != 0 {
			return fmt.Errorf("%v ended with %v: %s", c.Args[1:], c.ProcessState, c.stderr.String())
		}
	}
	return nil
}

//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package transport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/ring"
)

func createFIFO(t target, cfg ProducerConfig) (Producer, error) {
	p, err := newFIFO(t, cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.url, err)
	}
	return p, nil
}

// fifo is what a producer does with its name.
type fifo struct {
	path string
	lock *nameLock
	mine fs.FileInfo
	quit chan struct{}
	done chan struct{}
}

func newFIFO(t target, cfg ProducerConfig) (*cast, error) {
	lock, err := lockName(t.name+".lock", cfg.Label)
	if err != nil {
		return nil, err
	}
	f := &fifo{path: t.name, lock: lock, quit: make(chan struct{}), done: make(chan struct{})}
	if f.mine, err = f.make(); err != nil {
		return nil, errors.Join(err, lock.release())
	}
	cfg.Slots = 1
	p, err := newCast(t.url, cfg)
	if err != nil {
		return nil, errors.Join(err, f.unname(), lock.release())
	}
	p.lone = true
	p.stop = func() error {
		close(f.quit)
		<-f.done
		return f.unname()
	}
	p.after = lock.release
	go f.serve(p)
	return p, nil
}

// make makes the FIFO, or takes one that somebody made for this. In the place
// of one that a killed producer left comes a new one: its consumer may still be
// reading the rest of another stream.
func (f *fifo) make() (fs.FileInfo, error) {
	info, err := os.Lstat(f.path)
	switch {
	case err == nil && !f.lock.left:
		return info, checkFIFO(info)
	case err == nil:
		if err := checkFIFO(info); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if err := f.lock.made(); err != nil {
		return nil, err
	}
	fresh := f.path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := unix.Mkfifo(fresh, 0o600); err != nil {
		return nil, &fs.PathError{Op: "mkfifo", Path: fresh, Err: err}
	}
	if err := os.Rename(fresh, f.path); err != nil {
		return nil, errors.Join(err, os.Remove(fresh))
	}
	return os.Lstat(f.path)
}

// unname removes the name of a FIFO that producers made.
func (f *fifo) unname() error {
	if !f.lock.ours {
		return nil
	}
	now, err := os.Lstat(f.path)
	if err == nil && os.SameFile(now, f.mine) {
		err = os.Remove(f.path)
	}
	return ignoreMissing(err)
}

// serve waits for the consumer and sends to it.
func (f *fifo) serve(p *cast) {
	defer close(f.done)
	out := f.await()
	if out == nil {
		return
	}
	s, err := p.attend(out, ring.ConsumerConfig{Name: "fifo"}, sending{offers: true})
	if err != nil {
		_ = out.Close()
		return
	}
	go s.run()
	go watchReader(out, s.gone)
}

// await opens the FIFO as soon as somebody reads it. Opening it any other way
// would wait in the kernel, where nothing could end it.
func (f *fifo) await() *os.File {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		out, err := os.OpenFile(f.path, os.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
		if err == nil {
			if info, err := out.Stat(); err == nil && os.SameFile(info, f.mine) {
				return out
			}
			_ = out.Close()
		}
		select {
		case <-ticker.C:
		case <-f.quit:
			return nil
		}
	}
}

// checkFIFO refuses what others may have put there, or may reach.
func checkFIFO(info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case info.Mode().Type() != fs.ModeNamedPipe:
		return fmt.Errorf("%w: wanted a FIFO, found mode %v: %w", ErrFormat, info.Mode(), fs.ErrExist)
	case !ok || int(st.Uid) != os.Geteuid():
		return fmt.Errorf("%w: wanted a FIFO of user id %d, found one of %d: %w", ErrFormat, os.Geteuid(), st.Uid, fs.ErrPermission)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%w: wanted a FIFO without access for group and others, found mode %v: %w", ErrFormat, info.Mode(), fs.ErrPermission)
	}
	return nil
}

func openFIFO(ctx context.Context, t target, cfg ConsumerConfig) (Consumer, error) {
	if err := errors.Join(onlyReliable(cfg.Policy), named(&cfg)); err != nil {
		return nil, fmt.Errorf("%s: %w", t.url, err)
	}
	return patiently(ctx, t.url, func() (Consumer, error) {
		c, err := readFIFO(ctx, t, cfg)
		if err != nil {
			return nil, err
		}
		return c, nil
	})
}

// readFIFO takes one look, as long as there is a FIFO to look at.
func readFIFO(ctx context.Context, t target, cfg ConsumerConfig) (*streamConsumer, error) {
	before, err := os.Lstat(t.name)
	if err == nil {
		err = checkFIFO(before)
	}
	if err != nil {
		return nil, err
	}
	in, err := os.OpenFile(t.name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	c, err := beginFIFO(ctx, t, in, cfg)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return c, nil
}

func beginFIFO(ctx context.Context, t target, in *os.File, cfg ConsumerConfig) (*streamConsumer, error) {
	info, err := in.Stat()
	if err == nil {
		err = checkFIFO(info)
	}
	if err != nil {
		return nil, err
	}
	if busy, err := flock(in); err != nil {
		return nil, err
	} else if busy {
		return nil, fmt.Errorf("%w: a FIFO has one consumer, and somebody reads %s", ErrNoSlot, t.name)
	}
	if err := awaitWriter(ctx, t.name, in, info); err != nil {
		return nil, err
	}
	w, err := newWire(in, cfg.Wait)
	if err != nil {
		return nil, err
	}
	preamble, cancel := context.WithTimeout(context.WithoutCancel(ctx), helloLimit)
	defer cancel()
	return newStreamConsumer(preamble, w, cfg, streamEnd{max: frame.MaxPayload, most: pipeMost})
}

// awaitWriter waits for the first bytes, with in open all the while: the
// producer comes when it is. It takes at least one look that a living producer
// has the time to answer.
func awaitWriter(ctx context.Context, path string, in *os.File, info fs.FileInfo) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for start := time.Now(); ; {
		begun := false
		if err := control(in, func(fd int) error {
			look := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			_, err := unix.Poll(look, 0)
			begun = look[0].Revents&unix.POLLIN != 0
			return err
		}); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if begun {
			return nil
		}
		now, err := os.Lstat(path)
		switch {
		case err != nil:
			return err
		case !os.SameFile(now, info):
			return errNotYet
		case ctx.Err() != nil && time.Since(start) > grace && (time.Since(start) > helloLimit || !nameHeld(path+".lock")):
			return errNotYet
		}
		<-ticker.C
	}
}

func inspectFIFO(t target) (Stats, error) {
	if _, err := os.Lstat(t.name); err != nil {
		return Stats{}, fmt.Errorf("%s: %w", t.url, err)
	}
	return inspectCast(t)
}

// fifoOption is a FIFO as auto may pick it.
func fifoOption(t target) option {
	return option{
		target: t,
		alive:  func() bool { return nameHeld(t.name + ".lock") },
		clear: func() {
			if _, err := os.Lstat(t.name); err != nil {
				return
			}
			if lock, err := lockName(t.name+".lock", ""); err == nil {
				if lock.ours {
					_ = os.Remove(t.name)
				}
				_ = lock.release()
			}
		},
		look: func(ctx context.Context, cfg ConsumerConfig) (Consumer, error) {
			if err := errors.Join(onlyReliable(cfg.Policy), named(&cfg)); err != nil {
				return nil, err
			}
			soon, cancel := context.WithTimeout(ctx, grace)
			defer cancel()
			return readFIFO(soon, t, cfg)
		},
	}
}

// checkOwnFolder refuses a folder in which others could put something.
func checkOwnFolder(dir string, info fs.FileInfo) error {
	if st, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || !ok || int(st.Uid) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%w: %s: wanted a folder of this user's alone, found mode %v: %w", ErrFormat, dir, info.Mode(), fs.ErrPermission)
	}
	return nil
}

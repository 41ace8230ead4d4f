package transport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/ring"
	"github.com/carousel-ipc/carousel/shm"
)

// auto picks a medium here and now: the first, in the order of how much they
// promise, that can be had. The choice is what exists: a consumer looks under
// which of the names a producer lives, and nothing else has to be kept or can
// grow stale.
var autoScheme = scheme{name: "auto", form: "auto://NAME", check: checkName, create: createAuto, open: openAuto, inspect: inspectAuto}

// Chosen is what the producer or the consumer of an auto URL says, beyond its
// interface, of what was picked: its URL, and why not what comes before it.
type Chosen interface{ Chosen() (url, why string) }

// An option is one medium that auto may pick.
type option struct {
	target
	// alive tells whether it has a producer at this moment.
	alive func() bool
	// clear removes what a dead producer left; what lives it leaves alone.
	clear func()
	// look is one look for something to read; it does not wait.
	look func(ctx context.Context, cfg ConsumerConfig) (Consumer, error)
}

// passingFile is a ring in a file that goes with its producer, as auto promises.
var passingFile = ringMedium{create: byName(ring.CreateFile), open: here(ring.OpenFile), remove: ring.RemoveFile, removed: true}

// options are the media that auto knows, best first; a variable for tests. Files stand in a folder of
// this user's own, below the one for temporary files.
var options = func(name string) ([]option, error) {
	dir := ownFolder()
	if info, err := os.Lstat(dir); err == nil {
		if err := checkOwnFolder(dir, info); err != nil {
			return nil, err
		}
	}
	path := filepath.Join(dir, name)
	slashed := filepath.ToSlash(path)
	if runtime.GOOS == "windows" {
		slashed = "/" + slashed
	}
	file := passingFile.scheme("file", fileScheme.form, checkPath)
	fifoPath := path + ".fifo"
	return []option{
		ringOption(target{"shm://" + name, &shmScheme, name}, shmMedium, func() { _ = ring.Remove(name) }),
		ringOption(target{"file://" + slashed, &file, path}, passingFile, func() { _ = ring.RemoveFile(path) }),
		fifoOption(target{"fifo://" + slashed + ".fifo", &fifoScheme, fifoPath}),
	}, nil
}

func ringOption(t target, m ringMedium, clear func()) option {
	return option{
		target: t,
		alive: func() bool {
			st, err := m.inspect(t)
			return err == nil && st.Producer.Alive && !st.Ended
		},
		clear: clear,
		look:  func(ctx context.Context, cfg ConsumerConfig) (Consumer, error) { return m.tryConsumer(ctx, t, cfg) },
	}
}

// ownFolder is made when something is to stand in it.
func ownFolder() string {
	who := "carousel"
	if id := os.Geteuid(); id >= 0 {
		who = fmt.Sprintf("carousel-%d", id)
	}
	return filepath.Join(os.TempDir(), who)
}

func makeOwnFolder() error {
	dir := ownFolder()
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	return checkOwnFolder(dir, info)
}

// createAuto tries one after the other. What is wrong with the wish is wrong
// everywhere; what is wrong with the place is a reason to try the next.
func createAuto(t target, cfg ProducerConfig) (Producer, error) {
	all, err := options(t.name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.url, err)
	}
	some := all
	if i := slices.IndexFunc(all, func(o option) bool { return o.alive() }); i >= 0 {
		some = all[i : i+1] // it will say who it is
	}
	var whyNot []string
	for _, o := range some {
		p, err := o.try(cfg)
		switch {
		case err == nil:
			for _, other := range all {
				if other.url != o.url {
					other.clear()
				}
			}
			return &autoProducer{Producer: p, url: o.url, why: strings.Join(whyNot, "; ")}, nil
		case !aboutThePlace(err):
			return nil, fmt.Errorf("%s: %w", t.url, err)
		}
		whyNot = append(whyNot, fmt.Sprintf("not %s: %v", o.scheme.name, err))
	}
	return nil, fmt.Errorf("%s: nothing works here: %s: %w", t.url, strings.Join(whyNot, "; "), errors.ErrUnsupported)
}

func (o option) try(cfg ProducerConfig) (Producer, error) {
	if o.scheme.name != "fifo" {
		if err := sleeps(); err != nil {
			return nil, err
		}
	}
	if o.scheme.name == "shm" {
		return o.scheme.create(o.target, cfg)
	}
	for tries := 1; ; tries++ {
		if err := makeOwnFolder(); err != nil {
			return nil, err
		}
		p, err := o.scheme.create(o.target, cfg)
		if !errors.Is(err, fs.ErrNotExist) || tries == 10 {
			return p, err
		} // another producer has just left the folder, and taken it along
	}
}

// sleeps tells whether processes that share memory can wake each other, or at
// least poll.
func sleeps() error {
	var word uint32 = 1
	if err := futex.Wait(&word, 0, time.Millisecond); err != nil && !errors.Is(err, futex.ErrTimeout) {
		return fmt.Errorf("no futex: %w: %w", err, errors.ErrUnsupported)
	}
	return nil
}

// aboutThePlace tells whether another medium may do better.
func aboutThePlace(err error) bool {
	if errors.Is(err, ErrConfig) {
		return false
	}
	for _, e := range []error{
		errors.ErrUnsupported, shm.ErrNoSpace, shm.ErrTooLarge, fs.ErrPermission, fs.ErrNotExist,
		syscall.ENOSPC, syscall.EROFS, syscall.EMFILE, syscall.ENOMEM, syscall.EINVAL,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// openAuto looks where a producer lives; where none does, and what was kept is
// asked for, what a dead one left.
func openAuto(ctx context.Context, t target, cfg ConsumerConfig) (Consumer, error) {
	all, err := options(t.name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.url, err)
	}
	return patiently(ctx, t.url, func() (Consumer, error) {
		last := fmt.Errorf("no producer: %w", fs.ErrNotExist)
		for _, o := range all {
			if !o.alive() {
				continue
			}
			c, err := o.look(ctx, cfg)
			if err == nil {
				return &autoConsumer{Consumer: c, url: o.url}, nil
			}
			last = err
		}
		if !cfg.From.Kept() || mayPass(last) && !errors.Is(last, fs.ErrNotExist) {
			return nil, last
		}
		for _, o := range all {
			if o.scheme.name == "fifo" {
				continue // keeps nothing
			}
			if c, err := o.look(ctx, cfg); err == nil {
				return &autoConsumer{Consumer: c, url: o.url}, nil
			}
		}
		return nil, last
	})
}

func inspectAuto(t target) (Stats, error) {
	all, err := options(t.name)
	if err != nil {
		return Stats{}, fmt.Errorf("%s: %w", t.url, err)
	}
	for _, o := range all {
		if o.alive() {
			return o.scheme.inspect(o.target)
		}
	}
	return Stats{}, fmt.Errorf("%s: no producer: %w", t.url, fs.ErrNotExist)
}

type autoProducer struct {
	Producer
	url, why string
}

// Close removes the folder, too, if nothing else is in it.
func (p *autoProducer) Close() error {
	err := p.Producer.Close()
	if !strings.HasPrefix(p.url, "shm:") {
		_ = os.Remove(ownFolder())
	}
	return err
}

func (p *autoProducer) Chosen() (url, why string) { return p.url, p.why }

// Gone is that of the medium, if it has one consumer only.
func (p *autoProducer) Gone() <-chan struct{} {
	if one, ok := p.Producer.(interface{ Gone() <-chan struct{} }); ok {
		return one.Gone()
	}
	return nil
}

type autoConsumer struct {
	Consumer
	url string
}

func (c *autoConsumer) Chosen() (url, why string) { return c.url, "the producer's choice" }

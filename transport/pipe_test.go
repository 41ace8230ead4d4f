//go:build unix

package transport

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newPipe is a producer and a consumer at a pipe.
func newPipe(t *testing.T, pc ProducerConfig, cc ConsumerConfig) (Producer, Consumer) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := CreatePipe(w, pc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	c, err := OpenPipe(within(t, 10*time.Second), r, cc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return p, c
}

func TestPipe(t *testing.T) {
	p, c := newPipe(t, ProducerConfig{Checksum: true}, ConsumerConfig{})
	if err := p.WaitConsumers(t.Context(), 1); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
	if _, err := c.TryNext(); !errors.Is(err, ErrEmpty) {
		t.Errorf("got %v", err)
	}
	publish(t, p, "a", "", "ccc")
	expect(t, c, "a", "", "ccc")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := c.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	publish(t, p, "still there")
	expect(t, c, "still there")
	if st, err := p.Stats(); err != nil || st.Producer.Published != 4 {
		t.Errorf("%+v, %v", st, err)
	}
	closed(t, p)
	if _, err := c.Next(t.Context()); err != io.EOF {
		t.Errorf("got %v", err)
	}
	if err := c.WaitProducer(t.Context()); err != io.EOF {
		t.Errorf("nobody else comes to a pipe: got %v", err)
	}
	closed(t, c)
	if _, err := c.Next(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// Inherited descriptors block when they come; so they do afterwards, for those
// who share them.
func TestPipeStaysAsItWas(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	shared, err := syscall.Dup(int(w.Fd())) // Fd makes it block
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(shared), "shared")
	defer f.Close()
	p, err := CreatePipe(w, ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := OpenPipe(within(t, 10*time.Second), r, ConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, p, "x")
	expect(t, c, "x")
	closed(t, p)
	if mode, err := unix.FcntlInt(uintptr(shared), unix.F_GETFL, 0); err != nil || mode&unix.O_NONBLOCK != 0 {
		t.Errorf("it does not block any more: mode %#x, %v", mode, err)
	}
	closed(t, c)
}

// The kernel takes what fits in the pipe, the ring holds a ringful more, and
// then the producer waits, until the consumer reads.
func TestPipeHoldsTheProducerUp(t *testing.T) {
	p, c := newPipe(t, ProducerConfig{Capacity: 64 << 10}, ConsumerConfig{})
	n := fill(t, p, within(t, 200*time.Millisecond), 10_000)
	if n < 64 || n > 2000 {
		t.Errorf("%d records of 1000 bytes went out to nobody", n)
	}
	if err := p.Drain(within(t, 20*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	for range n {
		rec, err := c.Next(within(t, 10*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		filled(t, rec)
	}
	if err := p.Drain(within(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
}

func TestPipeConsumerGoes(t *testing.T) {
	p, c := newPipe(t, ProducerConfig{}, ConsumerConfig{})
	publish(t, p, "x")
	expect(t, c, "x")
	closed(t, c)
	select {
	case <-p.(interface{ Gone() <-chan struct{} }).Gone():
	case <-time.After(10 * time.Second):
		t.Fatal("a producer that does nothing does not hear of it")
	}
	if _, err := p.Reserve(t.Context(), Header{}, 1); !errors.Is(err, ErrConsumerGone) {
		t.Errorf("got %v", err)
	}
	closed(t, p) // it was told
}

func TestPipeIsNoPipe(t *testing.T) {
	file := func(text string) *os.File {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if _, err := OpenPipe(t.Context(), file("some text that is long enough for a preamble"), ConsumerConfig{}); !isNamed(err) || !strings.Contains(err.Error(), "not a stream of frames") {
		t.Errorf("got %v", err)
	}
	if _, err := OpenPipe(t.Context(), file(""), ConsumerConfig{}); !errors.Is(err, ErrProducerDied) {
		t.Errorf("got %v", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := OpenPipe(within(t, 20*time.Millisecond), r, ConsumerConfig{}); !errors.Is(err, ErrNoProducer) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// A pipe or a FIFO has one consumer, which always gates, and whoever wants
// anything else is told.
func TestOneConsumer(t *testing.T) {
	url := media(t)["fifo"]
	p, err := Create(url, ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, policy := range []Policy{Lossy, Deadline(time.Second)} {
		if _, err := Open(t.Context(), url, ConsumerConfig{Policy: policy}); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "want policy reliable") {
			t.Errorf("%v: got %v", policy, err)
		}
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenPipe(t.Context(), r, ConsumerConfig{Policy: policy}); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v: got %v", policy, err)
		}
		r.Close()
		w.Close()
	}
	c, err := Open(within(t, 10*time.Second), url, ConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(within(t, 10*time.Second), url, ConsumerConfig{}); !errors.Is(err, ErrNoSlot) {
		t.Errorf("a second consumer: got %v", err)
	}
	closed(t, p)
	closed(t, c)
}

func TestFIFONames(t *testing.T) {
	path := strings.TrimPrefix(media(t)["fifo"], "fifo://")
	url := "fifo://" + path
	present := func() (there []string) {
		for _, f := range []string{path, path + ".lock", path + ".new"} {
			if _, err := os.Lstat(f); err == nil {
				there = append(there, strings.TrimPrefix(f, path))
			}
		}
		return there
	}
	// Planted things are refused, and stay.
	for what, plant := range map[string]func() error{
		"a file":          func() error { return os.WriteFile(path, nil, 0o600) },
		"a link":          func() error { return os.Symlink("/dev/null", path) },
		"an open FIFO":    func() error { return errors.Join(syscall.Mkfifo(path, 0o600), os.Chmod(path, 0o622)) },
		"another's FIFO":  func() error { return errors.Join(syscall.Mkfifo(path, 0o600), os.Chown(path, 65534, -1)) },
		"a folder's lock": func() error { return os.Mkdir(path+".lock", 0o700) },
	} {
		if err := plant(); err != nil {
			if what == "another's FIFO" && os.Geteuid() != 0 {
				os.Remove(path)
				continue // only root can give a file away
			}
			t.Fatal(err)
		}
		if _, err := Create(url, ProducerConfig{}); err == nil {
			t.Errorf("%s: taken for a FIFO", what)
		}
		if what != "a folder's lock" {
			if _, err := Open(within(t, 20*time.Millisecond), url, ConsumerConfig{}); !errors.Is(err, ErrFormat) {
				t.Errorf("%s: got %v", what, err)
			}
		}
		os.Remove(path)
		os.Remove(path + ".lock")
	}
	// A FIFO that was there stays; one that we made goes.
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Create(url, ProducerConfig{Label: "the first"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(url, ProducerConfig{}); !errors.Is(err, ErrProducerLive) || !strings.Contains(err.Error(), "the first") {
		t.Errorf("got %v", err)
	}
	closed(t, p)
	if got := present(); len(got) != 1 || got[0] != "" {
		t.Errorf("%q remains of a FIFO that was there", got)
	}
	os.Remove(path)
	if p, err = Create(url, ProducerConfig{}); err != nil {
		t.Fatal(err)
	}
	closed(t, p)
	if got := present(); len(got) > 0 {
		t.Errorf("%q remains", got)
	}
	// What a killed producer left is replaced, and then goes.
	if err := errors.Join(syscall.Mkfifo(path, 0o600), os.WriteFile(path+".lock", []byte("somebody, pid 1\nmade\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Lstat(path)
	if p, err = Create(url, ProducerConfig{}); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Lstat(path); err != nil || os.SameFile(before, after) {
		t.Errorf("the FIFO of a killed producer is still in use (%v)", err)
	}
	closed(t, p)
	if got := present(); len(got) > 0 {
		t.Errorf("%q remains", got)
	}
}

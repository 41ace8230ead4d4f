package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

var names atomic.Uint64

// media are a URL of each, new to this test.
func media(t *testing.T) map[string]string {
	t.Helper()
	name := fmt.Sprintf("transport-test-%d-%d", os.Getpid(), names.Add(1))
	t.Cleanup(func() {
		files, _ := filepath.Glob("/dev/shm/" + name + "*")
		for _, f := range files {
			t.Errorf("%s remains", f)
			os.Remove(f)
		}
	})
	urls := map[string]string{
		"shm":  "shm://" + name,
		"file": "file://" + filepath.ToSlash(filepath.Join(t.TempDir(), "ring")),
	}
	dir, err := os.MkdirTemp("", "transport-") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	urls["unix"] = "unix://" + filepath.ToSlash(filepath.Join(dir, "stream.sock"))
	if runtime.GOOS != "windows" {
		urls["fifo"] = "fifo://" + filepath.Join(dir, "fifo")
	}
	urls["auto"] = "auto://" + name + "-auto"
	urls["tcp"] = "tcp://" + freeAddress(t)
	if shm.CanSeal {
		urls["memfd"] = "memfd://" + filepath.Join(dir, "ring.sock")
		urls["unixpacket"] = "unixpacket://" + filepath.Join(dir, "packets.sock")
	}
	return urls
}

// freeAddress is one at which nobody listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func publish(t *testing.T, p Producer, texts ...string) {
	t.Helper()
	for _, s := range texts {
		b, err := p.Reserve(t.Context(), Header{Type: uint16(len(s))}, len(s))
		if err != nil {
			t.Fatal(err)
		}
		copy(b, s)
	}
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, c Consumer, texts ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, want := range texts {
		rec, err := c.Next(ctx)
		if err != nil || string(rec.Payload()) != want || int(rec.Type()) != len(want) {
			t.Fatalf("got %q of type %d, %v; want %q", rec.Payload(), rec.Type(), err, want)
		}
	}
	if err := c.Release(); err != nil {
		t.Fatal(err)
	}
}

func closed(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// left is closed for the producer of a medium whose consumer went first, which
// a FIFO takes amiss.
func left(t *testing.T, medium string, p Producer) {
	t.Helper()
	if err := p.Close(); err != nil && !(medium == "fifo" && errors.Is(err, ErrConsumerGone)) {
		t.Errorf("Close: %v", err)
	}
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestStream(t *testing.T) {
	for medium, url := range media(t) {
		t.Run(medium, func(t *testing.T) {
			slots := 3
			if medium == "fifo" {
				slots = 1
			}
			p, err := Create(url, ProducerConfig{Capacity: 64 << 10, Slots: slots})
			if err != nil {
				t.Fatal(err)
			}
			c, err := Open(t.Context(), url, ConsumerConfig{Name: "reader"})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.WaitConsumers(t.Context(), 1); err != nil {
				t.Error(err)
			}
			publish(t, p, "a", "", "ccc")
			if p.Sequence() != 4 {
				t.Errorf("the next sequence is %d, want 4", p.Sequence())
			}
			expect(t, c, "a", "", "ccc")
			if _, err := c.TryNext(); !errors.Is(err, ErrEmpty) {
				t.Errorf("got %v, want ErrEmpty", err)
			}
			st, err := Inspect(url)
			if err != nil || st.Producer.Published != 3 || len(st.Consumers) != 1 || st.Consumers[0].Name != "reader" && medium != "fifo" || st.Capacity != 64<<10 || st.Slots != slots {
				t.Errorf("%+v, %v", st, err)
			}
			if err := p.Drain(within(t, 5*time.Second)); err != nil {
				t.Error(err)
			}
			closed(t, p)
			_ = p.Close() // again: does no harm
			if _, err := c.Next(t.Context()); err != io.EOF {
				t.Errorf("got %v, want io.EOF", err)
			}
			closed(t, c)
			// What stays.
			_, err = Inspect(url)
			if gone := errors.Is(err, fs.ErrNotExist); gone != (medium != "file") {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

// A consumer that waits attaches soon after a producer has come.
func TestOpenWaits(t *testing.T) {
	for medium, url := range media(t) {
		t.Run(medium, func(t *testing.T) {
			type result struct {
				c   Consumer
				err error
				at  time.Time
			}
			done := make(chan result)
			go func() {
				c, err := Open(within(t, 10*time.Second), url, ConsumerConfig{})
				done <- result{c, err, time.Now()}
			}()
			time.Sleep(50 * time.Millisecond)
			p, err := Create(url, ProducerConfig{})
			if err != nil {
				t.Fatal(err)
			}
			created := time.Now()
			r := <-done
			if r.err != nil {
				t.Fatal(r.err)
			}
			if d := r.at.Sub(created); d > 500*time.Millisecond {
				t.Errorf("attached after %v", d) // 50 ms on a quiet machine
			}
			publish(t, p, "x")
			expect(t, r.c, "x")
			closed(t, r.c)
			left(t, medium, p)
		})
	}
}

func TestOpenGivesUp(t *testing.T) {
	for medium, url := range media(t) {
		t.Run(medium, func(t *testing.T) {
			_, err := Open(within(t, 30*time.Millisecond), url, ConsumerConfig{From: Oldest})
			if !errors.Is(err, ErrNoProducer) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), url) {
				t.Errorf("got %v", err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := Open(ctx, url, ConsumerConfig{}); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			// One look is taken in any case.
			p, err := Create(url, ProducerConfig{})
			if err != nil {
				t.Fatal(err)
			}
			c, err := Open(ctx, url, ConsumerConfig{})
			if err != nil {
				t.Fatal(err)
			}
			closed(t, c)
			left(t, medium, p)
		})
	}
}

func TestEndedStream(t *testing.T) {
	for medium, url := range media(t) {
		p, err := Create(url, ProducerConfig{})
		if err != nil {
			t.Fatal(err)
		}
		publish(t, p, "a", "b")
		closed(t, p)
		if _, err := Open(within(t, 30*time.Millisecond), url, ConsumerConfig{}); !errors.Is(err, ErrNoProducer) {
			t.Errorf("%s: from latest: got %v", medium, err)
		}
		c, err := Open(within(t, 30*time.Millisecond), url, ConsumerConfig{From: Sequence(2)})
		if medium != "file" {
			if !errors.Is(err, ErrNoProducer) {
				t.Errorf("%s: got %v", medium, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		expect(t, c, "b")
		if _, err := c.Next(t.Context()); err != io.EOF {
			t.Errorf("got %v, want io.EOF", err)
		}
		closed(t, c)
	}
}

func TestRefusals(t *testing.T) {
	for medium, url := range media(t) {
		t.Run(medium, func(t *testing.T) {
			p, err := Create(url, ProducerConfig{Capacity: 8 << 10, Slots: 1, Label: "the first"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Create(url, ProducerConfig{}); !errors.Is(err, ErrProducerLive) || !strings.Contains(err.Error(), "the first") {
				t.Errorf("a second producer: got %v", err)
			}
			if _, err := Create(url, ProducerConfig{Capacity: 16 << 10}); (medium == "shm" || medium == "file" || medium == "auto") && (!errors.Is(err, ErrGeometry) || !strings.Contains(err.Error(), "8192") || !strings.Contains(err.Error(), "16384")) {
				t.Errorf("another capacity: got %v", err)
			}
			c, err := Open(t.Context(), url, ConsumerConfig{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Open(t.Context(), url, ConsumerConfig{}); !errors.Is(err, ErrNoSlot) {
				t.Errorf("no slot: got %v", err)
			}
			if _, err := Open(t.Context(), url, ConsumerConfig{Name: "a\nb"}); !errors.Is(err, ErrConfig) && medium != "memfd" { // which has no place for it
				t.Errorf("a bad name: got %v", err)
			}
			if _, err := p.Reserve(t.Context(), Header{}, p.MaxRecord()+1); !errors.Is(err, ErrTooLarge) {
				t.Errorf("a large record: got %v", err)
			}
			closed(t, c)
			left(t, medium, p)
		})
	}
	if !shm.CanSeal {
		_, err1 := Create("memfd:///tmp/x.sock", ProducerConfig{})
		_, err2 := Open(t.Context(), "memfd:///tmp/x.sock", ConsumerConfig{})
		_, err3 := Inspect("memfd:///tmp/x.sock")
		for _, err := range []error{err1, err2, err3} {
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("no memfd here: got %v, want ErrUnsupported", err)
			}
			if !strings.HasSuffix(err.Error(), "; try file:///PATH") {
				t.Errorf("no memfd here: got %v, want to be told of file:", err)
			}
		}
	}
	if _, err := Create("file:///nowhere/at/all/x", ProducerConfig{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: got %v", err)
	}
}

// Producers that close and producers that come meet at every moment; none of
// them fails, and nothing remains.
func TestProducersComeAndGo(t *testing.T) {
	for medium, url := range media(t) {
		if medium != "file" {
			t.Run(medium, func(t *testing.T) { comeAndGo(t, url) })
		}
	}
}

func comeAndGo(t *testing.T, url string) {
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() {
			for range 30 {
				p, err := Create(url, ProducerConfig{Capacity: 4 << 10})
				if errors.Is(err, ErrProducerLive) {
					continue
				}
				if err == nil {
					err = p.Close()
				}
				if err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

//go:build unix

package cli

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/shm"
)

// These tests run the commands as they are: built, and as processes.

var binaries struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if binaries.dir != "" {
		os.RemoveAll(binaries.dir)
	}
	os.Exit(code)
}

// built is the path of a command, built once for all tests.
func built(t *testing.T, name string) string {
	t.Helper()
	binaries.once.Do(func() {
		if binaries.dir, binaries.err = os.MkdirTemp("", "cli-test-"); binaries.err != nil {
			return
		}
		build := exec.Command("go", "build", "-o", binaries.dir, "-tags", tags(), "../../cmd/...")
		build.Env = append(os.Environ(), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
		if out, err := build.CombinedOutput(); err != nil {
			binaries.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if binaries.err != nil {
		t.Fatal(binaries.err)
	}
	return filepath.Join(binaries.dir, name)
}

// tags are those that this test was built with.
func tags() string {
	if futex.Polls {
		return "carousel_portable"
	}
	return ""
}

// child is a command that runs. It is killed at the end of the test.
type child struct {
	*exec.Cmd
	t      *testing.T
	stderr lockedBuffer
	done   chan struct{}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs a command. stdin and stdout may be nil.
func start(t *testing.T, stdin io.Reader, stdout io.Writer, command string, args ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(built(t, command), args...), t: t, done: make(chan struct{})}
	c.Stdin, c.Stdout, c.Stderr = stdin, stdout, &c.stderr
	c.WaitDelay = 5 * time.Second
	if err := c.Start(); errors.Is(err, syscall.ENOEXEC) {
		t.Skipf("SKIP: this machine does not run %s programs by itself", runtime.GOARCH)
	} else if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.done)
		_ = c.Wait()
	}()
	t.Cleanup(func() {
		c.Process.Kill()
		<-c.done
	})
	return c
}

// exit waits for the end and returns the code, -1 after a signal.
func (c *child) exit() int {
	c.t.Helper()
	select {
	case <-c.done:
	case <-time.After(20 * time.Second):
		c.t.Fatalf("%v has not ended after 20 s\n%s", c.Args, c.stderr.String())
	}
	return c.ProcessState.ExitCode()
}

func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// says waits until the child has written text to standard error.
func (c *child) says(text string) {
	c.t.Helper()
	c.saysTimes(text, 1)
}

func (c *child) saysTimes(text string, n int) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("%v says %q %d times", c.Args, text, n), func() bool {
		return strings.Count(c.stderr.String(), text) >= n
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for limit := time.Now().Add(15 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("not within 15 s: %s", what)
		}
	}
}

func (c *child) consumed() consumerSummary {
	c.t.Helper()
	var s consumerSummary
	mustJSON(c.t, c.stderr.String(), &s)
	return s
}

func (c *child) produced() producerSummary {
	c.t.Helper()
	var s producerSummary
	mustJSON(c.t, c.stderr.String(), &s)
	return s
}

// urls are one of each medium.
func urls(t *testing.T) map[string]string {
	urls := map[string]string{
		"shm":  "shm://" + ringName(t),
		"file": "file://" + filepath.Join(t.TempDir(), "ring"),
	}
	dir, err := os.MkdirTemp("", "cli-") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	urls["unix"] = "unix://" + filepath.Join(dir, "stream.sock")
	urls["tcp"] = "tcp://" + freeAddress(t)
	if shm.CanSeal {
		urls["memfd"] = "memfd://" + filepath.Join(dir, "ring.sock")
		urls["unixpacket"] = "unixpacket://" + filepath.Join(dir, "packets.sock")
	}
	return urls
}

// freeAddress is one at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestPipesToThreeConsumers(t *testing.T) {
	random := make([]byte, 4<<20)
	r := rand.NewChaCha8([32]byte{})
	_, _ = r.Read(random)
	var lines bytes.Buffer
	for lines.Len() < 4<<20 {
		n := int(random[lines.Len()]) * int(random[lines.Len()+1]%9)
		lines.Write(bytes.Repeat([]byte{'a' + random[n]%26}, n))
		lines.WriteByte('\n')
	}
	for _, c := range []struct {
		how   string
		input []byte
	}{{"lines", lines.Bytes()}, {"all", random}, {"nul", append(random[:1<<20:1<<20], 0)}} {
		for medium, url := range urls(t) {
			t.Run(c.how+" through "+medium, func(t *testing.T) {
				want := sha256.Sum256(c.input)
				var consumers []*child
				var outputs []*bytes.Buffer
				for range 3 {
					out := &bytes.Buffer{}
					outputs = append(outputs, out)
					consumers = append(consumers, start(t, nil, out, "consumer", "-json", "-split", c.how, url))
				}
				p := start(t, bytes.NewReader(c.input), nil, "producer", "-json", "-split", c.how, "-capacity", "256KiB", "-consumers", "3", url)
				if code := p.exit(); code != exitOK {
					t.Fatalf("producer: exit %d\n%s", code, p.stderr.String())
				}
				for i, c := range consumers {
					if code := c.exit(); code != exitOK {
						t.Errorf("consumer %d: exit %d\n%s", i, code, c.stderr.String())
					}
					if got := sha256.Sum256(outputs[i].Bytes()); got != want {
						t.Errorf("consumer %d: another checksum", i)
					}
					if s := c.consumed(); s.Received != p.produced().Published || s.Medium != medium || s.Epochs != 1 || s.Seconds <= 0 {
						t.Errorf("consumer %d: %+v", i, s)
					}
				}
			})
		}
	}
}

// A producer is killed again and again; consumers that linger read all that
// every one of them committed, once.
func TestProducersDieUnderConsumersThatLinger(t *testing.T) {
	for medium, url := range urls(t) {
		t.Run(medium, func(t *testing.T) { producersDie(t, url, 5, false) })
	}
	for medium, url := range urls(t) {
		t.Run(medium+" without a pause", func(t *testing.T) { producersDie(t, url, 10, true) })
	}
}

// stream: what a killed producer had committed and not sent is gone with its
// memory.
func stream(url string) bool {
	return strings.HasPrefix(url, "unix") || strings.HasPrefix(url, "tcp:") || strings.HasPrefix(url, "fifo:")
}

// producersDie: atOnce: the next producer may come before anybody has noticed
// that the last one died.
func producersDie(t *testing.T, url string, kills int, atOnce bool) {
	var consumers []*child
	for i := range 3 {
		consumers = append(consumers, start(t, nil, nil, "consumer", "-json", "-verify", "-linger", "15s", "-name", fmt.Sprint("c", i), url))
	}
	for i := range kills {
		p := start(t, nil, nil, "producer", "-gen", "1000000000", "-rate", "200000", "-consumers", "3", url)
		epoch := uint64(i + 1)
		if !strings.HasPrefix(url, "shm:") && !strings.HasPrefix(url, "file:") {
			epoch = 1 // another ring each time
		}
		eventually(t, "records flow", func() bool {
			st, err := inspect(url)
			return err == nil && st.Epoch == epoch && st.Producer.Bytes > 500_000
		})
		p.Process.Kill()
		<-p.done
		for _, c := range consumers {
			if !atOnce {
				c.saysTimes("producer died", i+1)
			}
		}
	}
	last := start(t, nil, nil, "producer", "-json", "-gen", "1000", "-consumers", "3", url)
	if code := last.exit(); code != exitOK {
		t.Fatalf("exit %d\n%s", code, last.stderr.String())
	}
	var received uint64
	for i, c := range consumers {
		code, s := c.exit(), c.consumed()
		if code != exitOK || s.Torn+s.Duplicates+s.OutOfOrder+s.Lost > 0 || !atOnce && s.Epochs != uint64(kills+1) {
			t.Errorf("consumer %d: exit %d\n%s", i, code, c.stderr.String())
		}
		if i > 0 && s.Received != received && !stream(url) {
			t.Errorf("consumer %d received %d, another %d", i, s.Received, received)
		}
		received = s.Received
	}
}

func TestProducerDiesAndNobodyComes(t *testing.T) {
	name := ringName(t)
	mayRemain(t, name)
	url := "shm://" + name
	out := &bytes.Buffer{}
	leaves := start(t, nil, out, "consumer", "-json", url)
	waits := start(t, nil, nil, "consumer", "-json", "-linger", "50ms", url)
	in, feed := io.Pipe()
	p := start(t, in, nil, "producer", "-consumers", "2", url)
	io.WriteString(feed, "one\ntwo\nhalf a li")
	eventually(t, "both lines arrive", func() bool {
		st, err := inspect(url)
		return err == nil && len(st.Consumers) == 2 && st.Consumers[0].Received == 2 && st.Consumers[1].Received == 2
	})
	p.Process.Kill()
	feed.Close()
	if code := leaves.exit(); code != exitDied || out.String() != "one\ntwo\n" || !strings.Contains(leaves.consumed().Error, "producer died") {
		t.Errorf("exit %d, wrote %q\n%s", code, out, leaves.stderr.String())
	}
	if code := waits.exit(); code != exitDied || !strings.Contains(waits.consumed().Error, "no other came within 50ms") {
		t.Errorf("exit %d\n%s", code, waits.stderr.String())
	}
	// What it left can be read, and ends with its death.
	out.Reset()
	late := start(t, nil, out, "consumer", "-json", "-from", "seq=2", url)
	if code := late.exit(); code != exitDied || out.String() != "two\n" {
		t.Errorf("late: exit %d, wrote %q\n%s", code, out, late.stderr.String())
	}
	// From latest there is nothing to read.
	none := start(t, nil, nil, "consumer", "-json", "-connect", "20ms", url)
	if code := none.exit(); code != exitError || !strings.Contains(none.consumed().Error, "producer is dead") {
		t.Errorf("from latest: exit %d\n%s", code, none.stderr.String())
	}
	// The next one takes over at once.
	next := start(t, strings.NewReader("three\n"), nil, "producer", "-json", url)
	if code := next.exit(); code != exitOK || next.produced().Published != 1 {
		t.Errorf("next: exit %d\n%s", code, next.stderr.String())
	}
}

func TestConsumersDie(t *testing.T) {
	url := "shm://" + ringName(t)
	stays := start(t, nil, nil, "consumer", "-json", "-verify", url)
	p := start(t, nil, nil, "producer", "-json", "-gen", "400000", "-rate", "400000", "-capacity", "256KiB", "-consumers", "2", url)
	for range 8 {
		c := start(t, nil, nil, "consumer", "-verify", "-name", "victim", url)
		eventually(t, "it receives", func() bool {
			st, _ := inspect(url)
			for _, s := range st.Consumers {
				if s.Name == "victim" && s.Alive && s.Received > 100 {
					return true
				}
			}
			return p.ended()
		})
		c.Process.Kill()
		<-c.done
	}
	if code := p.exit(); code != exitOK || p.produced().Evicted != 0 {
		t.Errorf("producer: exit %d\n%s", code, p.stderr.String())
	}
	if code, s := stays.exit(), stays.consumed(); code != exitOK || s.Received != 400000 {
		t.Errorf("consumer: exit %d\n%s", code, stays.stderr.String())
	}
}

func TestStoppedConsumers(t *testing.T) {
	url := "shm://" + ringName(t)
	reliable := start(t, nil, nil, "consumer", "-json", "-verify", url)
	lossy := start(t, nil, nil, "consumer", "-json", "-verify", "-policy", "lossy", url)
	deadline := start(t, nil, nil, "consumer", "-json", "-verify", "-policy", "deadline=200ms", url)
	p := start(t, nil, nil, "producer", "-json", "-gen", "600000", "-rate", "300000", "-capacity", "256KiB", "-consumers", "3", url)
	eventually(t, "records flow", func() bool { st, err := inspect(url); return err == nil && st.Producer.Published > 1000 })
	lossy.Process.Signal(syscall.SIGSTOP)
	deadline.Process.Signal(syscall.SIGSTOP)
	time.Sleep(700 * time.Millisecond)
	lossy.Process.Signal(syscall.SIGCONT)
	if code := p.exit(); code != exitOK || p.produced().Evicted != 1 {
		t.Errorf("producer: exit %d\n%s", code, p.stderr.String())
	}
	deadline.Process.Signal(syscall.SIGCONT)
	if code, s := reliable.exit(), reliable.consumed(); code != exitOK || s.Received != 600000 || s.Lost != 0 {
		t.Errorf("reliable: exit %d\n%s", code, reliable.stderr.String())
	}
	if code, s := lossy.exit(), lossy.consumed(); code != exitOK || s.Received+s.Lost != 600000 || s.Lost == 0 || s.Torn > 0 || s.FirstLost == 0 || s.LastLost < s.FirstLost {
		t.Errorf("lossy: exit %d\n%s", code, lossy.stderr.String())
	}
	if code, s := deadline.exit(), deadline.consumed(); code != exitLoss || s.Torn > 0 || !strings.Contains(s.Error, "deadline") {
		t.Errorf("deadline: exit %d\n%s", code, deadline.stderr.String())
	}
}

func TestInterruptions(t *testing.T) {
	t.Run("producer", func(t *testing.T) {
		url := "shm://" + ringName(t)
		for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
			c := start(t, nil, nil, "consumer", "-json", "-verify", url)
			p := start(t, nil, nil, "producer", "-json", "-gen", "1000000000", "-rate", "50000", "-consumers", "1", url)
			eventually(t, "records flow", func() bool { st, err := inspect(url); return err == nil && st.Producer.Published > 100 })
			p.Process.Signal(sig)
			if code, s := p.exit(), p.produced(); code != exitOK || s.Error != "" || s.Published == 0 {
				t.Errorf("%v: producer: exit %d\n%s", sig, code, p.stderr.String())
			}
			if code, s := c.exit(), c.consumed(); code != exitOK || s.Received != p.produced().Published {
				t.Errorf("%v: consumer: exit %d\n%s", sig, code, c.stderr.String())
			}
		}
	})
	t.Run("producer that waits for input", func(t *testing.T) {
		url := "shm://" + ringName(t)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		defer r.Close()
		p := start(t, r, nil, "producer", "-json", url)
		io.WriteString(w, "a\nb")
		eventually(t, "a record", func() bool { st, err := inspect(url); return err == nil && st.Producer.Published == 1 })
		p.Process.Signal(os.Interrupt)
		if code, s := p.exit(), p.produced(); code != exitOK || s.Published != 1 {
			t.Errorf("exit %d\n%s", code, p.stderr.String())
		}
	})
	t.Run("producer that waits for consumers", func(t *testing.T) {
		url := "shm://" + ringName(t)
		p := start(t, nil, nil, "producer", "-json", "-gen", "5", "-consumers", "2", url)
		eventually(t, "the ring", func() bool { st, err := inspect(url); return err == nil && st.Producer.Alive })
		p.Process.Signal(os.Interrupt)
		if code, s := p.exit(), p.produced(); code != exitOK || s.Published != 0 || s.Error != "" {
			t.Errorf("exit %d\n%s", code, p.stderr.String())
		}
	})
	t.Run("producer that drains, twice", func(t *testing.T) {
		url := "shm://" + ringName(t)
		c := start(t, nil, nil, "consumer", url)
		p := start(t, nil, nil, "producer", "-json", "-gen", "1000000000", "-rate", "100000", "-drain", "1m", "-consumers", "1", url)
		eventually(t, "records flow", func() bool { st, err := inspect(url); return err == nil && st.Producer.Published > 100 })
		c.Process.Signal(syscall.SIGSTOP)
		time.Sleep(50 * time.Millisecond)
		p.Process.Signal(os.Interrupt)
		time.Sleep(100 * time.Millisecond)
		if p.ended() {
			t.Errorf("it did not wait for its consumer\n%s", p.stderr.String())
		}
		p.Process.Signal(os.Interrupt)
		if code := p.exit(); code != exitAgain {
			t.Errorf("exit %d\n%s", code, p.stderr.String())
		}
		c.Process.Signal(syscall.SIGCONT)
		if code := c.exit(); code != exitOK {
			t.Errorf("consumer: exit %d\n%s", code, c.stderr.String())
		}
	})
	t.Run("consumer", func(t *testing.T) {
		url := "shm://" + ringName(t)
		c := start(t, nil, nil, "consumer", "-json", "-verify", url)
		p := start(t, nil, nil, "producer", "-json", "-gen", "1000000000", "-rate", "50000", "-consumers", "1", url)
		eventually(t, "records flow", func() bool { st, err := inspect(url); return err == nil && st.Producer.Published > 100 })
		c.Process.Signal(syscall.SIGTERM)
		if code, s := c.exit(), c.consumed(); code != exitOK || s.Error != "" || s.Received == 0 {
			t.Errorf("exit %d\n%s", code, c.stderr.String())
		}
		p.Process.Signal(os.Interrupt)
		p.exit()
	})
	t.Run("consumer that waits for a producer", func(t *testing.T) {
		c := start(t, nil, nil, "consumer", "-json", "-connect", "1m", "shm://"+ringName(t))
		time.Sleep(100 * time.Millisecond)
		c.Process.Signal(os.Interrupt)
		if code := c.exit(); code != exitOK || c.consumed().Error != "" {
			t.Errorf("exit %d\n%s", code, c.stderr.String())
		}
	})
	t.Run("consumer whose output stalls", func(t *testing.T) {
		url := "shm://" + ringName(t)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		c := start(t, nil, w, "consumer", "-json", url)
		w.Close()
		p := start(t, nil, nil, "producer", "-gen", "1000000000", "-rate", "1000000", "-consumers", "1", url)
		eventually(t, "the ring is full", func() bool { st, err := inspect(url); return err == nil && st.Producer.WaitingFor != "" })
		c.Process.Signal(os.Interrupt)
		if code := c.exit(); code != exitOK {
			t.Errorf("exit %d\n%s", code, c.stderr.String())
		}
		p.Process.Signal(os.Interrupt)
		p.exit()
	})
}

// With -capacity 0 a producer is never further than its slowest consumer, and
// an interruption ends its wait.
func TestRendezvous(t *testing.T) {
	for medium, url := range urls(t) {
		t.Run(medium, func(t *testing.T) {
			c := start(t, nil, nil, "consumer", "-json", "-verify", "-policy", "reliable", url)
			p := start(t, nil, nil, "producer", "-json", "-gen", "100000", "-capacity", "0", "-drain", "100ms", "-consumers", "1", url)
			eventually(t, "records flow", func() bool { st, err := inspect(url); return err == nil && st.Producer.Published > 10 })
			c.Process.Signal(syscall.SIGSTOP)
			eventually(t, "the producer waits", func() bool {
				a, err := inspect(url)
				time.Sleep(10 * time.Millisecond)
				b, err2 := inspect(url)
				return err == nil && err2 == nil && a.Producer.Published == b.Producer.Published
			})
			st, err := inspect(url)
			if err != nil || len(st.Consumers) != 1 || st.Consumers[0].Lag > 1 {
				t.Errorf("%+v, %v: want one consumer that lags by one record at most", st.Consumers, err)
			}
			p.Process.Signal(syscall.SIGINT)
			code, s := p.exit(), p.produced()
			if code != exitError || !strings.Contains(s.Error, "lags by 1 record") {
				t.Errorf("producer: exit %d\n%s", code, p.stderr.String())
			}
			c.Process.Signal(syscall.SIGCONT)
			if code := c.exit(); code != exitOK || c.consumed().Received != s.Published {
				t.Errorf("consumer: exit %d, published %d\n%s", code, s.Published, c.stderr.String())
			}
		})
	}
}

func TestDrainRunsOut(t *testing.T) {
	url := "shm://" + ringName(t)
	c := start(t, nil, nil, "consumer", "-verify", "-name", "sleepyhead", url)
	p := start(t, nil, nil, "producer", "-json", "-gen", "3000", "-rate", "2000", "-drain", "100ms", "-consumers", "1", url)
	eventually(t, "records flow", func() bool { st, err := inspect(url); return err == nil && st.Producer.Published > 10 })
	c.Process.Signal(syscall.SIGSTOP)
	code, s := p.exit(), p.produced()
	if code != exitError || s.Published != 3000 || !strings.Contains(s.Error, "-drain 100ms") || !strings.Contains(s.Error, "sleepyhead (reliable) lags by") {
		t.Errorf("exit %d\n%s", code, p.stderr.String())
	}
	// The names are gone, and yet the consumer finishes.
	c.Process.Signal(syscall.SIGCONT)
	if code := c.exit(); code != exitOK || !strings.Contains(c.stderr.String(), "received 3000 records") {
		t.Errorf("consumer: exit %d\n%s", code, c.stderr.String())
	}
}

func TestStatisticsOnRequest(t *testing.T) {
	url := "shm://" + ringName(t)
	c := start(t, nil, nil, "consumer", "-verify", "-name", "auditor", url)
	p := start(t, nil, nil, "producer", "-gen", "1000000000", "-rate", "1000", "-consumers", "1", url)
	eventually(t, "records flow", func() bool { st, err := inspect(url); return err == nil && st.Producer.Published > 10 })
	for _, who := range []*child{p, c} {
		who.Process.Signal(syscall.SIGUSR1)
		who.says("auditor")
		who.says("fence by")
	}
	p.Process.Signal(os.Interrupt)
	if a, b := p.exit(), c.exit(); a != exitOK || b != exitOK {
		t.Errorf("exit %d and %d", a, b)
	}
}

// As in "consumer | head -2".
func TestReaderOfOutputGoes(t *testing.T) {
	url := "shm://" + ringName(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, nil, w, "consumer", url)
	w.Close()
	p := start(t, nil, nil, "producer", "-gen", "1000000000", "-rate", "100000", "-consumers", "1", url)
	if _, err := io.ReadFull(r, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if code := c.exit(); code != exitOK || c.stderr.String() != "" {
		t.Errorf("exit %d, said %q; want 0 and nothing", code, c.stderr.String())
	}
	p.Process.Signal(os.Interrupt)
	if code := p.exit(); code != exitOK {
		t.Errorf("producer: exit %d\n%s", code, p.stderr.String())
	}
}

func TestFollow(t *testing.T) {
	for medium, url := range urls(t) {
		t.Run(medium, func(t *testing.T) {
			out := &lockedBuffer{}
			c := start(t, nil, out, "consumer", "-json", "-follow", url)
			want := ""
			for i := range 4 {
				text := fmt.Sprintf("stream %d\nand its end\n", i)
				p := start(t, strings.NewReader(text), nil, "producer", "-consumers", "1", url)
				if code := p.exit(); code != exitOK {
					t.Fatalf("exit %d\n%s", code, p.stderr.String())
				}
				want += text
				eventually(t, "the stream arrives", func() bool { return out.String() == want })
			}
			c.Process.Signal(os.Interrupt)
			code, s := c.exit(), c.consumed()
			if code != exitOK || s.Received != 8 || s.Epochs != 4 || s.Lost+s.Duplicates+s.OutOfOrder > 0 {
				t.Errorf("exit %d\n%s", code, c.stderr.String())
			}
		})
	}
}

// A ring that was removed and made anew is another stream for whoever lingers.
func TestLingerAcrossRemoval(t *testing.T) {
	name := ringName(t)
	url := "shm://" + name
	c := start(t, nil, nil, "consumer", "-json", "-verify", "-linger", "15s", url)
	first := start(t, nil, nil, "producer", "-gen", "1000000000", "-rate", "10000", "-consumers", "1", url)
	eventually(t, "records flow", func() bool { st, err := inspect(url); return err == nil && st.Producer.Published > 100 })
	first.Process.Kill()
	<-first.done
	c.says("producer died")
	for _, f := range remains(name) {
		os.Remove(f)
	}
	second := start(t, nil, nil, "producer", "-gen", "50", "-consumers", "1", url)
	if code := second.exit(); code != exitOK {
		t.Errorf("exit %d\n%s", code, second.stderr.String())
	}
	code, s := c.exit(), c.consumed()
	if code != exitOK || s.Received <= 150 || s.Epochs != 2 || s.Torn+s.Lost+s.Duplicates+s.OutOfOrder > 0 {
		t.Errorf("exit %d\n%s", code, c.stderr.String())
	}
}

func TestEndedFileStaysReadable(t *testing.T) {
	url := "file://" + filepath.Join(t.TempDir(), "log")
	p := start(t, strings.NewReader("a\nb\nc\n"), nil, "producer", "-json", url)
	if code := p.exit(); code != exitOK {
		t.Fatalf("exit %d\n%s", code, p.stderr.String())
	}
	for _, c := range []struct {
		from, want string
		code       int
	}{{"oldest", "a\nb\nc\n", exitOK}, {"seq=3", "c\n", exitOK}, {"latest", "", exitError}} {
		out := &bytes.Buffer{}
		r := start(t, nil, out, "consumer", "-json", "-connect", "50ms", "-from", c.from, url)
		if code := r.exit(); code != c.code || out.String() != c.want {
			t.Errorf("from %s: exit %d, wrote %q\n%s", c.from, code, out, r.stderr.String())
		}
	}
	again := start(t, strings.NewReader("d\n"), nil, "producer", url)
	again.exit()
	out := &bytes.Buffer{}
	r := start(t, nil, out, "consumer", "-json", "-from", "oldest", url)
	if code := r.exit(); code != exitOK || !strings.HasSuffix(out.String(), "d\n") {
		t.Errorf("after the next producer: exit %d, wrote %q\n%s", code, out, r.stderr.String())
	}
}

func TestSecondProducerIsRefused(t *testing.T) {
	url := "shm://" + ringName(t)
	first := start(t, nil, nil, "producer", "-gen", "1000000000", "-rate", "1000", url)
	eventually(t, "records flow", func() bool { st, err := inspect(url); return err == nil && st.Producer.Published > 10 })
	second := start(t, nil, nil, "producer", "-json", "-gen", "5", url)
	if code := second.exit(); code != exitError || !strings.Contains(second.produced().Error, fmt.Sprint(first.Process.Pid)) {
		t.Errorf("exit %d\n%s", code, second.stderr.String())
	}
	other := start(t, nil, nil, "producer", "-json", "-gen", "5", "-capacity", "8KiB", url)
	if code := other.exit(); code != exitError || !strings.Contains(other.produced().Error, "8192") || !strings.Contains(other.produced().Error, "4194304") {
		t.Errorf("exit %d\n%s", code, other.stderr.String())
	}
	first.Process.Signal(os.Interrupt)
	if code := first.exit(); code != exitOK {
		t.Errorf("exit %d\n%s", code, first.stderr.String())
	}
}

// What somebody may have put where a ring should be. Nothing hangs, nothing
// dies of a signal, nothing that is there is touched.
func TestThingsPlantedUnderTheName(t *testing.T) {
	for _, c := range []struct {
		what  string
		plant func(path string) error
	}{
		{"a symlink", func(p string) error { return os.Symlink("/etc/passwd", p) }},
		{"a dangling symlink", func(p string) error { return os.Symlink(p+".elsewhere", p) }},
		{"a FIFO", func(p string) error { return syscall.Mkfifo(p, 0o600) }},
		{"a directory", func(p string) error { return os.Mkdir(p, 0o700) }},
		{"a socket", func(p string) error {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: p, Net: "unix"})
			if err == nil {
				l.SetUnlinkOnClose(false)
				l.Close()
			}
			return err
		}},
		{"an empty file", func(p string) error { return os.WriteFile(p, nil, 0o600) }},
		{"text", func(p string) error { return os.WriteFile(p, bytes.Repeat([]byte("no ring\n"), 5000), 0o600) }},
		{"zeros", func(p string) error { return os.WriteFile(p, make([]byte, 1<<20), 0o600) }},
	} {
		for _, suffix := range []string{".ring", ".slots"} {
			dir := t.TempDir()
			path := filepath.Join(dir, "r")
			if err := c.plant(path + suffix); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			p := start(t, nil, nil, "producer", "-json", "-gen", "5", "file://"+path)
			r := start(t, nil, nil, "consumer", "-json", "-from", "oldest", "-connect", "20ms", "file://"+path)
			pc, rc := p.exit(), r.exit()
			// A name that stands beside no ring may be given to one; all else
			// is an error that says what is there.
			if pc != exitOK && (pc != exitError || p.produced().Error == "") {
				t.Errorf("%s as %s: producer: exit %d\n%s", c.what, suffix, pc, p.stderr.String())
			}
			if pc != exitOK && rc != exitError && rc != exitDied {
				t.Errorf("%s as %s: consumer: exit %d\n%s", c.what, suffix, rc, r.stderr.String())
			}
			after, err := os.Lstat(path + suffix)
			if pc == exitOK {
				if suffix == ".ring" || err != nil || !after.Mode().IsRegular() {
					t.Errorf("%s as %s was taken for a ring, and is now %v, %v", c.what, suffix, after, err)
				}
			} else if err != nil || after.Mode() != before.Mode() || after.Size() != before.Size() {
				t.Errorf("%s as %s was refused, and is now %v, %v", c.what, suffix, after, err)
			}
		}
	}
}

func TestProgressLine(t *testing.T) {
	url := "shm://" + ringName(t)
	c := start(t, nil, nil, "consumer", "-progress", "-verify", url)
	p := start(t, nil, nil, "producer", "-progress", "-json", "-gen", "600", "-rate", "1000", "-consumers", "1", url)
	if a, b := p.exit(), c.exit(); a != exitOK || b != exitOK {
		t.Fatalf("exit %d and %d", a, b)
	}
	for who, text := range map[string]string{"published": p.stderr.String(), "received": c.stderr.String()} {
		if n := strings.Count(text, "\r"+who+" "); n < 1 || n > 20 {
			t.Errorf("%d progress lines in %q", n, text)
		}
		last := text[strings.LastIndexByte(strings.TrimSuffix(text, "\n"), '\r')+1:]
		if !strings.HasPrefix(last, "{") && !strings.HasPrefix(last, "consumer: ") {
			t.Errorf("the progress line stands before the summary: %q", text)
		}
	}
}

func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: takes as long as a demo takes")
	}
	t.Parallel()
	out := &lockedBuffer{}
	p := start(t, nil, out, "producer", "-demo")
	code := p.exit()
	if code != exitOK || !strings.Contains(out.String(), "verdict: one consumer died") || !strings.Contains(out.String(), "kill -9 of pid") {
		t.Errorf("exit %d\n%s\n%s", code, out, p.stderr.String())
	}
	if left := remains(fmt.Sprintf("demo-%d-", p.Process.Pid)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	for l := range strings.Lines(out.String()) {
		if n := len([]rune(l)); n > 101 {
			t.Errorf("%d columns: %s", n, l)
		}
	}
}

func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	out := &lockedBuffer{}
	p := start(t, nil, out, "producer", "-demo")
	eventually(t, "the demo runs", func() bool { return strings.Contains(out.String(), "attached") })
	p.Process.Signal(os.Interrupt)
	began := time.Now()
	if code := p.exit(); code != exitAgain || time.Since(began) > 8*time.Second {
		t.Errorf("exit %d after %v\n%s%s", code, time.Since(began), out, p.stderr.String())
	}
	if left := remains(fmt.Sprintf("demo-%d-", p.Process.Pid)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

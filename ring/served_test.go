//go:build linux && !carousel_portable

package ring

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

func init() {
	roles["serve"] = serveRole
	roles["dial"] = dialRole
}

// socketPath is where a test serves. Paths of sockets have to be short.
func socketPath(t *testing.T) string {
	dir, err := os.MkdirTemp("", "carousel-")
	must(t, err)
	must(t, os.Chmod(dir, 0o755)) // for tests with another user
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func soon(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func listen(t *testing.T, path string, cfg ServeConfig) (*Ring, *Producer) {
	t.Helper()
	r, err := Listen(path, cfg)
	must(t, err)
	t.Cleanup(func() { _ = r.Close() })
	p, err := r.NewProducer()
	must(t, err)
	t.Cleanup(func() { _ = p.Close() })
	return r, p
}

func dial(t *testing.T, path string, cfg ConsumerConfig) *Consumer {
	t.Helper()
	r, err := Dial(t.Context(), path)
	must(t, err)
	defer r.Close()
	c, err := r.NewConsumer(cfg)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// serveRole publishes numbers until it is killed, or, with COUNT, so many.
func serveRole() error {
	orphanGuard()
	r, err := Listen(os.Getenv("RING"), ServeConfig{Config: Config{Capacity: 1 << 16}})
	if err != nil {
		return err
	}
	p, err := r.NewProducer(ProducerConfig{Label: "serve"})
	if err != nil {
		return err
	}
	count, consumers := number("COUNT"), number("CONSUMERS")
	if err := p.WaitConsumers(context.Background(), consumers); err != nil {
		return err
	}
	for i := 0; count == 0 || i < count; i++ {
		if _, err := p.Write(pattern(p.Sequence(), killSize(p.Sequence()))); err != nil {
			return err
		}
		if count == 0 {
			time.Sleep(100 * time.Microsecond)
		}
	}
	if err := p.Drain(context.Background()); err != nil {
		return err
	}
	return errors.Join(p.Close(), r.Close())
}

func number(env string) int {
	n, _ := strconv.Atoi(os.Getenv(env))
	return n
}

// dialRole reads, says what it has read last, and verifies.
func dialRole() error {
	orphanGuard()
	r, err := Dial(context.Background(), os.Getenv("RING"))
	if err != nil {
		return err
	}
	return readAll(r)
}

func readAll(r *Ring) (err error) {
	var cfg ConsumerConfig
	if s := os.Getenv("POLICY"); s != "" {
		if cfg.Policy, err = ParsePolicy(s); err != nil {
			return err
		}
	}
	c, err := r.NewConsumer(cfg)
	if err != nil {
		return err
	}
	fmt.Println("joined")
	var lost uint64
	for next := c.Sequence(); ; next++ {
		rec, err := c.Read(context.Background(), nil)
		if over, ok := errors.AsType[*OverrunError](err); ok {
			lost += over.Lost
			next = over.To
			continue
		}
		if err == io.EOF {
			fmt.Println("end", c.Sequence()-1-lost, lost)
			return errors.Join(c.Close(), r.Close())
		}
		if err != nil {
			return err
		}
		if rec.Sequence != next || !bytes.Equal(rec.Payload(), pattern(next, killSize(next))) {
			return fmt.Errorf("record %d of %d bytes, want %d", rec.Sequence, len(rec.Payload()), next)
		}
	}
}

func TestServedRing(t *testing.T) {
	path := socketPath(t)
	r, p := listen(t, path, ServeConfig{Config: Config{Capacity: 1 << 16, Slots: 3}})
	var consumers []*Consumer
	for _, policy := range []Policy{Reliable, Deadline(time.Second), Lossy} {
		consumers = append(consumers, dial(t, path, ConsumerConfig{Name: policy.String(), Policy: policy}))
	}
	must(t, p.WaitConsumers(soon(t, time.Second), 3))
	if _, err := Dial(t.Context(), path); !errors.Is(err, ErrNoSlot) {
		t.Errorf("a fourth: got %v, want ErrNoSlot", err)
	}
	for i := range uint64(1000) {
		_, err := p.Write(pattern(i+1, killSize(i+1)))
		must(t, err)
		for _, c := range consumers {
			rec, err := c.Next(soon(t, 5*time.Second))
			if err != nil || rec.Sequence != i+1 || !bytes.Equal(rec.Payload(), pattern(i+1, killSize(i+1))) {
				t.Fatalf("%s: record %d: %v, want %d", c.Name(), rec.Sequence, err, i+1)
			}
			must(t, c.Release())
		}
	}
	s, err := Inspect(t.Context(), path)
	if err != nil || s.Producer.Published != 1000 || len(s.Consumers) != 3 || s.Name != path || s.Producer.Fence != "sleeper" {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := Listen(path, ServeConfig{}); !errors.Is(err, ErrProducerLive) || !strings.Contains(err.Error(), "ring.test") {
		t.Errorf("a second producer: got %v", err)
	}
	must(t, consumers[0].Close())
	waitFor(t, "the slot is free", func() bool { s, err := r.Stats(); return err == nil && len(s.Consumers) == 2 })
	late := dial(t, path, ConsumerConfig{Name: "late", From: Oldest})
	rec, err := late.Next(soon(t, 5*time.Second))
	if err != nil || !bytes.Equal(rec.Payload(), pattern(rec.Sequence, killSize(rec.Sequence))) {
		t.Errorf("%v, %v", rec.Sequence, err)
	}
	// The end: told to all, and the name is gone.
	must(t, p.Close())
	for _, c := range consumers[1:] {
		if _, err := c.Next(soon(t, 5*time.Second)); err != io.EOF {
			t.Errorf("%s: got %v, want io.EOF", c.Name(), err)
		}
		if err := c.WaitProducer(soon(t, 5*time.Second)); !errors.Is(err, ErrRemoved) {
			t.Errorf("%s: got %v, want ErrRemoved", c.Name(), err)
		}
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket's name is there: %v", err)
	}
	if _, err := r.NewProducer(); !errors.Is(err, ErrRemoved) {
		t.Errorf("another producer: got %v, want ErrRemoved", err)
	}
	if _, err := Dial(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the end: got %v, want fs.ErrNotExist", err)
	}
}

// served counts what a served ring takes in this process.
type served struct{ descriptors, mappings, goroutines int }

func taken(t *testing.T) served {
	fds, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	maps, err := os.ReadFile("/proc/self/maps")
	must(t, err)
	return served{len(fds), bytes.Count(maps, []byte("/memfd:carousel")), runtime.NumGoroutine()}
}

// returns waits until no more is taken than before.
func returns(t *testing.T, before served) {
	t.Helper()
	var now served
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if now = taken(t); now.descriptors <= before.descriptors && now.mappings <= before.mappings && now.goroutines <= before.goroutines {
			return
		}
	}
	t.Errorf("found %+v, want no more than before: %+v", now, before)
}

// outputOf starts a child whose output is wanted.
func outputOf(t *testing.T, role string, env ...string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	return outputWith(t, role, nil, env...)
}

// outputWith gives the child a file besides, which it takes over.
func outputWith(t *testing.T, role string, f *os.File, env ...string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), roleEnv+"="+role), env...)
	if f != nil {
		cmd.ExtraFiles = []*os.File{f}
		defer f.Close()
	}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, bufio.NewReader(out)
}

func TestServedBetweenProcesses(t *testing.T) {
	path := socketPath(t)
	const count = 20000
	producer := child(t, "serve", "RING="+path, fmt.Sprint("COUNT=", count), "CONSUMERS=3")
	waitFor(t, "the socket", func() bool { _, err := Inspect(t.Context(), path); return err == nil })
	outs := map[string]*bufio.Reader{}
	for _, policy := range []string{"reliable", "deadline=10s", "lossy"} {
		_, outs[policy] = outputOf(t, "dial", "RING="+path, "POLICY="+policy)
	}
	for policy, out := range outs {
		text, err := io.ReadAll(out)
		must(t, err)
		var n, lost int
		if _, err := fmt.Sscanf(string(text), "joined\nend %d %d\n", &n, &lost); err != nil || n+lost != count || policy != "lossy" && lost > 0 {
			t.Errorf("%s: said %q, want an end with %d records", policy, text, count)
		}
	}
	must(t, producer.Wait())
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket's name is there: %v", err)
	}
}

// Producers are killed: every consumer is told at once, after all that was
// committed, nothing but the name stays, and the next one takes that over.
func TestServingProducerKilled(t *testing.T) {
	path := socketPath(t)
	before := taken(t)
	var notices []time.Duration
	n := kills(t, 40)
	for range n {
		p := child(t, "serve", "RING="+path, "CONSUMERS=2")
		var r *Ring
		waitFor(t, "the socket", func() (ok bool) { var err error; r, err = Dial(t.Context(), path); return err == nil })
		c, err := r.NewConsumer(ConsumerConfig{Wait: Block})
		must(t, err)
		must(t, r.Close())
		d := dial(t, path, ConsumerConfig{})
		_, err = c.Read(soon(t, 5*time.Second), nil)
		must(t, err)
		told := make(chan error)
		go func() {
			for {
				if _, err := c.Read(t.Context(), nil); err != nil {
					told <- err
					return
				}
			}
		}()
		time.Sleep(time.Millisecond)
		start := time.Now()
		must(t, p.Process.Kill())
		if err := <-told; !errors.Is(err, ErrProducerDied) {
			t.Fatalf("got %v, want ErrProducerDied", err)
		}
		notices = append(notices, time.Since(start))
		_ = p.Wait()
		if err := c.WaitProducer(soon(t, time.Second)); !errors.Is(err, ErrRemoved) {
			t.Errorf("got %v, want ErrRemoved", err)
		}
		must(t, c.Close())
		must(t, d.Close())
		if _, err := Dial(t.Context(), path); !errors.Is(err, ErrProducerDied) || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a dead producer's socket: got %v", err)
		}
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("remain %v, want the socket alone", left)
	}
	inTime(t, notices)
	returns(t, before)
}

// inTime judges how long it took until the other side was told. The worst may be
// a busy machine's fault.
func inTime(t *testing.T, notices []time.Duration) {
	t.Helper()
	slices.Sort(notices)
	n := len(notices)
	p90, worst := notices[n*9/10], notices[n-1]
	t.Logf("%d killed, told after %v (median), %v (p90), %v (p99), %v (worst)", n, notices[n/2], p90, notices[n*99/100], worst)
	if p90 > 50*time.Millisecond || worst > time.Second {
		t.Errorf("told after %v (p90), %v (worst), want at most 50ms, 1s", p90, worst)
	}
}

// Consumers are killed while the producer waits for them: it goes on at once,
// and their slots and memory come back.
func TestDialedConsumersKilled(t *testing.T) {
	path := socketPath(t)
	_, p := listen(t, path, ServeConfig{Config: Config{Capacity: MinCapacity, Slots: 2}})
	before := taken(t)
	var notices []time.Duration
	n := kills(t, 40)
	for range n {
		c, out := outputOf(t, "dial", "RING="+path)
		if line, err := out.ReadString('\n'); line != "joined\n" {
			t.Fatalf("said %q, %v", line, err)
		}
		must(t, c.Process.Signal(syscall.SIGSTOP))
		var err error
		for err == nil {
			seq := p.Sequence()
			var b []byte
			if b, err = p.TryReserve(killSize(seq)); err == nil {
				copy(b, pattern(seq, len(b)))
				err = p.Commit()
			}
		}
		if !errors.Is(err, ErrFull) {
			t.Fatal(err)
		}
		start := make(chan time.Time, 1)
		time.AfterFunc(2*time.Millisecond, func() {
			start <- time.Now()
			_ = c.Process.Kill()
		})
		_, err = p.Reserve(soon(t, 5*time.Second), 500)
		must(t, err)
		notices = append(notices, time.Since(<-start))
		p.Abort()
		_ = c.Wait()
	}
	inTime(t, notices)
	before.mappings += 2 * 3 // the last page of each slot stays mapped in each of three views
	returns(t, before)
}

// A ring whose producer never came goes with the Ring.
func TestServedWithoutProducer(t *testing.T) {
	path := socketPath(t)
	before := taken(t)
	r, err := Listen(path, ServeConfig{Config: Config{Capacity: MinCapacity, Prefault: true}})
	must(t, err)
	if _, err := r.NewConsumer(ConsumerConfig{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a consumer that did not dial: got %v, want ErrUnsupported", err)
	}
	d, err := Dial(t.Context(), path)
	must(t, err)
	if alive, err := d.ProducerAlive(); d.Epoch() != 0 || !alive || err != nil {
		t.Errorf("epoch %d, alive %v, %v; want 0 and a connection", d.Epoch(), alive, err)
	}
	c, err := d.NewConsumer(ConsumerConfig{})
	must(t, err)
	if _, err := d.NewConsumer(ConsumerConfig{}); !errors.Is(err, ErrNoSlot) {
		t.Errorf("a second consumer: got %v, want ErrNoSlot", err)
	}
	if _, err := d.NewProducer(); !errors.Is(err, ErrProducerLive) {
		t.Errorf("a producer that dialed: got %v, want ErrProducerLive", err)
	}
	must(t, r.Close())
	if err := c.WaitProducer(soon(t, 5*time.Second)); !errors.Is(err, ErrRemoved) {
		t.Errorf("got %v, want ErrRemoved", err)
	}
	must(t, c.Close())
	must(t, d.Close())
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
		t.Errorf("remain %v", left)
	}
	returns(t, before)
}

// A view that outlives Close reads zeros, and whoever had the slot before does
// not matter to who has it next.
func TestDialedViewOutlivesClose(t *testing.T) {
	path := socketPath(t)
	_, p := listen(t, path, ServeConfig{Config: Config{Capacity: MinCapacity, Slots: 1}})
	for range 5 {
		c := dial(t, path, ConsumerConfig{})
		_, err := p.Write([]byte("text"))
		must(t, err)
		rec, err := c.Next(soon(t, 5*time.Second))
		must(t, err)
		must(t, c.Close())
		if string(rec.Payload()) != "\x00\x00\x00\x00" {
			t.Errorf("found %q, want zeros", rec.Payload())
		}
		_ = c.Release()
	}
}

// The bytes of the handshake, frozen.
func TestHandshakeIsFrozen(t *testing.T) {
	var id creationID
	copy(id[:], "sixteen bytes id")
	for _, tc := range []struct {
		got  []byte
		want string
	}{
		{hello{version: 1, wish: wishPlace, must: 3}.bytes(), "4341525353484c31" + "01000000" + "01000000" + "03000000" + "000000000000000000000000"},
		{reply{code: codeNoSlot, flags: 1, slot: 7, size: 16384, patience: time.Second, id: id, text: "no"}.bytes(), "4341525353525031" + "01000000" + "02000000" + "00000000" + "01000000" + "07000000" + "02000000" +
			"0040000000000000" + "00ca9a3b00000000" + "7369787465656e206279746573206964" + "6e6f"},
	} {
		if got := hex.EncodeToString(tc.got); got != tc.want {
			t.Errorf("found %s\nwant  %s", got, tc.want)
		}
	}
}

// Whoever writes what he likes to all that he may write to harms nobody else.
func TestHostileBytesInASlot(t *testing.T) {
	path := socketPath(t)
	_, p := listen(t, path, ServeConfig{Config: Config{Capacity: 1 << 16}})
	honest := dial(t, path, ConsumerConfig{Name: "honest"})
	var hostile sync.WaitGroup
	stop := make(chan struct{})
	for i, policy := range []Policy{Lossy, Deadline(time.Millisecond), Lossy} {
		r, err := Dial(t.Context(), path)
		must(t, err)
		c, err := r.NewConsumer(ConsumerConfig{Policy: policy})
		must(t, err)
		m, err := r.backing.(*dialedBacking).own.Map(shm.ReadWrite)
		must(t, err)
		rng := rand.New(rand.NewPCG(uint64(i), 4))
		hostile.Go(func() {
			words := segmentOf(m.Bytes())
			for done := false; !done; {
				store64(words.w64(rng.Uint64N(page/8)*8), rng.Uint64()>>rng.IntN(64))
				select {
				case <-stop:
					done = true
				default:
				}
			}
			_ = m.Unmap()
			_ = c.Close()
			_ = r.Close()
		})
	}
	const count = 3000
	ctx := soon(t, time.Minute)
	failed := make(chan error, 1)
	go func() {
		for next := uint64(1); next <= count; next++ {
			rec, err := honest.Read(t.Context(), nil)
			if err != nil || rec.Sequence != next || !bytes.Equal(rec.Payload(), pattern(next, killSize(next))) {
				failed <- fmt.Errorf("record %d, want %d: %v", rec.Sequence, next, err)
				return
			}
		}
		failed <- nil
	}()
	for i := range uint64(count) {
		b, err := p.Reserve(ctx, killSize(i+1))
		must(t, err)
		copy(b, pattern(i+1, len(b)))
		must(t, p.Commit())
		if i%1000 == 0 {
			if _, err := Inspect(t.Context(), path); err != nil {
				t.Error(err)
			}
		}
	}
	must(t, <-failed)
	close(stop)
	hostile.Wait()
}

// nobody is a user other than the one who runs the tests.
const nobody = 65534

func asNobody(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIP: needs root, to run a consumer as another user")
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

// foreigner dials as another user. The test binary has to be where he can
// read it.
func foreigner(t *testing.T, path string) (*exec.Cmd, *bytes.Buffer, *bufio.Reader) {
	t.Helper()
	binary := filepath.Join(filepath.Dir(path), "binary")
	if emulated() {
		t.Skip("SKIP: an emulator runs this, and the other user cannot reach it")
	}
	text, err := os.ReadFile(os.Args[0])
	must(t, err)
	if _, err := os.Stat(binary); err != nil {
		must(t, os.WriteFile(binary, text, 0o755))
	}
	cmd := exec.Command(binary)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), roleEnv+"=dial", "RING="+path)
	said := &bytes.Buffer{}
	cmd.Stderr = said
	asNobody(t, cmd)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, said, bufio.NewReader(out)
}

func TestAnotherUser(t *testing.T) {
	path := socketPath(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	must(t, os.Chmod(path, 0o666))
	r, err := Serve(l, ServeConfig{})
	must(t, err)
	defer r.Close()
	cmd, said, _ := foreigner(t, path)
	if err := cmd.Wait(); err == nil || !strings.Contains(said.String(), "refused by its producer") || !strings.Contains(said.String(), "user id 65534, want [0]") {
		t.Errorf("by default: %v, said %q", err, said)
	}

	path = socketPath(t)
	_, p := listen(t, path, ServeConfig{Users: []uint32{nobody}, Patience: -1})
	own := dial(t, path, ConsumerConfig{})
	cmd, said, out := foreigner(t, path)
	if line, err := out.ReadString('\n'); line != "joined\n" {
		t.Fatalf("admitted: said %q, %v, %s", line, err, said)
	}
	for i := range uint64(100) {
		_, err := p.Write(pattern(i+1, killSize(i+1)))
		must(t, err)
	}
	s, err := p.Stats()
	if err != nil || s.Producer.Fence != "producer" || len(s.Consumers) != 2 {
		t.Errorf("%+v, %v; want a fence by the producer and two consumers", s, err)
	}
	if own.expedited {
		t.Error("a consumer beside another user's is registered for membarriers")
	}
	must(t, own.Close())
	must(t, p.Close())
	if line, err := out.ReadString('\n'); line != "end 100 0\n" || cmd.Wait() != nil {
		t.Errorf("said %q, %v, %s", line, err, said)
	}
}

// Whoever dials or inspects sees the ID that its maker sees.
func TestServedRingHasOneID(t *testing.T) {
	path := socketPath(t)
	r, _ := listen(t, path, ServeConfig{})
	theirs, err := Dial(t.Context(), path)
	must(t, err)
	defer theirs.Close()
	id := identity(t, r.Stats)
	dialled := identity(t, theirs.Stats)
	inspected := identity(t, func() (Stats, error) { return Inspect(t.Context(), path) })
	if len(id) != 32 || dialled != id || inspected != id {
		t.Errorf("dialled %s, inspected %s, want %s", dialled, inspected, id)
	}
}

// A socket's name that nobody listens at is taken over; anything else is left.
func TestListenTakesOver(t *testing.T) {
	path := socketPath(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	l.SetUnlinkOnClose(false)
	must(t, l.Close())
	r, p := listen(t, path, ServeConfig{})
	dial(t, path, ConsumerConfig{})
	must(t, p.Close())
	must(t, r.Close())

	must(t, os.WriteFile(path, []byte("dear"), 0o600))
	if _, err := Listen(path, ServeConfig{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file: got %v, want fs.ErrExist", err)
	}
	if text, err := os.ReadFile(path); string(text) != "dear" {
		t.Errorf("the file has %q, %v", text, err)
	}
	must(t, os.Remove(path))

	// Who is alive and says nothing is alive.
	l, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	defer l.Close()
	if _, err := Listen(path, ServeConfig{}); !errors.Is(err, ErrProducerLive) {
		t.Errorf("a silent listener: got %v, want ErrProducerLive", err)
	}
	if _, err := Listen("/"+strings.Repeat("x", 200), ServeConfig{}); !errors.Is(err, ErrName) || !strings.Contains(err.Error(), "107") {
		t.Errorf("a long path: got %v", err)
	}
}

// Of many that would take over what a killed producer left, one does.
func TestListenTogether(t *testing.T) {
	path := socketPath(t)
	for range 20 {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		must(t, err)
		l.SetUnlinkOnClose(false)
		must(t, l.Close())
		rings, errs := make(chan *Ring, 8), make(chan error, 8)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				r, err := Listen(path, ServeConfig{Config: Config{Capacity: MinCapacity}})
				if err == nil {
					rings <- r
				} else if !errors.Is(err, ErrProducerLive) {
					errs <- err
				}
			})
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			t.Errorf("got %v, want ErrProducerLive", err)
		}
		if len(rings) != 1 {
			t.Fatalf("%d took over, want 1", len(rings))
		}
		r := <-rings
		d, err := Dial(t.Context(), path)
		must(t, err)
		must(t, d.Close())
		must(t, r.Close())
	}
}

// All are killed at once: nothing stays but the name, which is taken over.
func TestServedAllKilled(t *testing.T) {
	path := socketPath(t)
	for range kills(t, 12) {
		crew := []*exec.Cmd{child(t, "serve", "RING="+path)}
		waitFor(t, "the socket", func() bool { s, err := Inspect(t.Context(), path); return err == nil && s.Epoch == 1 })
		for range 2 {
			c, out := outputOf(t, "dial", "RING="+path)
			if line, err := out.ReadString('\n'); line != "joined\n" {
				t.Fatalf("said %q, %v", line, err)
			}
			crew = append(crew, c)
		}
		for _, c := range crew {
			must(t, c.Process.Kill())
		}
		for _, c := range crew {
			_ = c.Wait()
		}
		left, err := os.ReadDir(filepath.Dir(path))
		must(t, err)
		if len(left) != 1 || left[0].Type() != fs.ModeSocket {
			t.Errorf("remain %v, want the socket alone", left)
		}
	}
}

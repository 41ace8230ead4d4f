package cli

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/carousel-ipc/carousel/transport"
)

// The demo: this process is the producer, and starts itself again as three
// consumer processes. Half way one of them is killed; at the end the figures
// of the others have to add up.
const (
	demoRate   = 200_000 // records a second
	demoSize   = 64      // bytes
	demoLength = 5 * time.Second
	demoKill   = demoLength / 2
	demoRedraw = 125 * time.Millisecond
	demoLimit  = 9 * time.Second // the whole, whatever happens

	// demoHeld is how long the demo's producer may be held up at most, by
	// whomever. A dead consumer holds it up for a fraction of that.
	demoHeld = 250 * time.Millisecond
)

// demoConsumers are the three. The first is killed.
var demoConsumers = []struct {
	name   string
	policy transport.Policy
}{
	{"reliable", transport.Reliable},
	{"deadline", transport.Deadline(500 * time.Millisecond)},
	{"lossy-slow", transport.Lossy},
}

// demoState is what the view shows. The goroutines of the demo write it.
type demoState struct {
	mu        sync.Mutex
	url       string
	start     time.Time // of the stream; zero before
	published tally
	longest   time.Duration // longest wait for room
	waits     uint64
	children  []*demoChild
	events    []string
}

// at is the time of the stream, for events.
func (s *demoState) at() time.Duration {
	if s.start.IsZero() {
		return 0
	}
	return time.Since(s.start)
}

func (s *demoState) event(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, fmt.Sprintf("%4.1f s  ", s.at().Seconds())+fmt.Sprintf(format, args...))
}

// demo runs it and returns the exit code.
func demo(stdout, stderr io.Writer) int {
	name := fmt.Sprintf("demo-%d-%s", os.Getpid(), demoSuffix())
	d := &demonstration{state: demoState{url: "shm://" + name}, name: name}
	d.view = newDemoView(stdout, &d.state)
	sig := watchSignals(func() { printStats(newConsole(stderr, "producer"), d.state.url) })
	defer sig.close()

	// Whatever hangs, this ends it and leaves nothing behind.
	watchdog := time.AfterFunc(demoLimit, func() {
		d.killAll()
		d.sweep()
		d.view.close()
		fmt.Fprintf(stderr, "producer: demo: not over after %v\n", demoLimit)
		os.Exit(exitError)
	})
	defer watchdog.Stop()

	err := d.run(sig)
	d.killAll()
	d.view.close()
	if err == nil && sig.stop.Err() != nil {
		err = errors.New("interrupted")
	}
	left := d.sweep()
	if err != nil {
		fmt.Fprintf(stderr, "producer: demo: %s\n", errorText(err))
		if sig.stop.Err() != nil {
			return exitAgain
		}
		return exitError
	}
	return d.view.verdict(d.checks(left))
}

func demoSuffix() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	return hex.EncodeToString(b[:])
}

// demonstration is one run of the demo.
type demonstration struct {
	state demoState
	name  string
	view  *demoView
	freed time.Duration // from the kill until the dead one held no slot; < 0 never
}

// run makes the ring, starts the consumers and streams.
func (d *demonstration) run(sig *interrupts) error {
	s := &d.state
	p, err := transport.Create(s.url, transport.ProducerConfig{Label: "producer -demo"})
	if err != nil {
		return err
	}
	closed := false
	defer func() {
		if !closed {
			_ = p.Close()
		}
	}()
	for _, c := range demoConsumers {
		child, err := startDemoChild(c.name, c.policy, s)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.children = append(s.children, child)
		s.mu.Unlock()
	}
	ctx, cancel := context.WithTimeout(sig.stop, 2*time.Second)
	err = p.WaitConsumers(ctx, len(demoConsumers))
	cancel()
	if err != nil {
		return fmt.Errorf("waiting for the consumer processes: %w", err)
	}

	s.mu.Lock()
	s.start = time.Now()
	s.mu.Unlock()
	s.event("three consumer processes are attached, the stream begins")
	d.view.begin()
	kill := time.AfterFunc(demoKill, d.kill)
	defer kill.Stop()

	w := &publisher{p: p, ctx: sig.stop, max: p.MaxRecord(), live: &s.published}
	if err := d.stream(w); err != nil {
		return err
	}
	s.event("end of the stream")
	drained, cancel := context.WithTimeout(sig.now, time.Second)
	err = p.Drain(drained)
	cancel()
	closed = true
	if err = errors.Join(err, p.Close()); err != nil {
		return err
	}
	return d.wait()
}

// stream publishes a slice of a tenth of a second at a time and notes how it
// went.
func (d *demonstration) stream(w *publisher) error {
	const slices = 10
	total := uint64(demoRate * demoLength / time.Second)
	step := uint64(demoRate / slices)
	pace := newPace(demoRate)
	g := generator{size: demoSize, rate: demoRate}
	for g.count < total {
		done := g.count
		g.count = min(total, done+step)
		if err := g.runFrom(w, pace, done); err != nil {
			return err
		}
		st, err := w.p.Stats()
		if err != nil {
			return err
		}
		d.state.mu.Lock()
		d.state.longest, d.state.waits = w.longest, st.Producer.CreditWaits
		for _, c := range d.state.children {
			c.observe(st)
		}
		d.state.mu.Unlock()
	}
	return w.flush()
}

// kill is the middle of the demo.
func (d *demonstration) kill() {
	s := &d.state
	s.mu.Lock()
	victim := s.children[0]
	victim.killed = true
	s.mu.Unlock()
	s.event("kill -9 of pid %d (%s), without a word to anybody", victim.pid(), victim.name)
	since := time.Now()
	_ = victim.process.Kill()
	d.freed = -1
	for time.Since(since) < time.Second {
		st, err := transport.Inspect(s.url)
		if err != nil {
			return
		}
		if !victim.attached(st) {
			d.freed = time.Since(since)
			s.event("its place on the ring was free %v later; nobody waits for the dead", nanos(int64(d.freed)))
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// wait waits until every child has ended.
func (d *demonstration) wait() error {
	limit := time.After(2 * time.Second)
	for _, c := range d.state.children {
		select {
		case <-c.done:
		case <-limit:
			return fmt.Errorf("consumer %s (pid %d) did not end", c.name, c.pid())
		}
	}
	return nil
}

// killAll ends the children that are left, and waits for them.
func (d *demonstration) killAll() {
	d.state.mu.Lock()
	children := d.state.children
	d.state.mu.Unlock()
	for _, c := range children {
		_ = c.process.Kill()
	}
	for _, c := range children {
		select {
		case <-c.done:
		case <-time.After(time.Second):
		}
	}
}

// sweep removes what is left of the ring, and returns what there was: nothing,
// if all went well.
func (d *demonstration) sweep() []string {
	files, _ := filepath.Glob(filepath.Join("/dev/shm", d.name) + "*")
	for _, f := range files {
		_ = os.Remove(f)
	}
	if _, err := transport.Inspect(d.state.url); !errors.Is(err, fs.ErrNotExist) {
		files = append(files, d.state.url)
	}
	return files
}

// waited tells how often, and how long at most, the producer was held up.
func waited(times uint64, longest time.Duration) string {
	if times == 0 {
		return "never waited for anybody"
	}
	return fmt.Sprintf("waited %s, %v at most", count(times, "time"), nanos(int64(longest)))
}

// check is one line of the verdict.
type check struct {
	ok   bool
	text string
}

func (d *demonstration) checks(left []string) []check {
	s := &d.state
	published := s.published.records.Load()
	victim, survivor, slow := s.children[0], s.children[1], s.children[2]
	gone := 0
	for _, c := range s.children {
		if c.exited() {
			gone++
		}
	}
	return []check{
		{survivor.last.Received == published && survivor.last.Lost == 0 && survivor.clean(),
			fmt.Sprintf("%s: all of %s records, lost %d", survivor.name, grouped(published), survivor.last.Lost)},
		{slow.last.Received+slow.last.Lost == published && slow.clean(),
			fmt.Sprintf("%s: %s received + %s lost = %s published", slow.name, grouped(slow.last.Received), grouped(slow.last.Lost), grouped(slow.last.Received+slow.last.Lost))},
		{victim.last.Lost == 0 && victim.last.Received > 0 && victim.last.Torn == 0 && d.freed >= 0,
			fmt.Sprintf("%s: lost %d until it was killed; its place was free after %v", victim.name, victim.last.Lost, nanos(int64(d.freed)))},
		{s.longest <= demoHeld,
			fmt.Sprintf("the producer %s", waited(s.waits, s.longest))},
		{gone == len(s.children) && len(left) == 0,
			strings.TrimSuffix(fmt.Sprintf("%d of %d processes gone, nothing left behind%s", gone, len(s.children), ": but "+strings.Join(left, " ")), ": but ")},
	}
}

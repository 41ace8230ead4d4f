//go:build linux && !carousel_portable

package ring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

func init() { roles["inherit"] = inheritRole }

// Consumers that are not trusted get what patience there is for them, and no
// more, whatever their slot says.
func TestPatience(t *testing.T) {
	for _, tc := range []struct {
		patience time.Duration
		policy   Policy
		refused  string
	}{
		{0, Lossy, ""},
		{0, Reliable, "want lossy (its producer does not let consumers whom it does not trust hold it up: ServeConfig.Patience is 0)"},
		{0, Deadline(1), "policy deadline=1ns, want lossy"},
		{time.Second, Lossy, ""},
		{time.Second, Deadline(time.Second), ""},
		{time.Second, Deadline(2 * time.Second), "policy deadline=2s, want lossy or a deadline of at most 1s"},
		{time.Second, Reliable, "policy reliable, want lossy or a deadline of at most 1s"},
		{-1, Reliable, ""},
		{-1, Deadline(time.Hour), ""},
	} {
		t.Run(fmt.Sprint(tc.patience, tc.policy), func(t *testing.T) {
			path := socketPath(t)
			listen(t, path, ServeConfig{Distrust: true, Patience: tc.patience})
			r, err := Dial(t.Context(), path)
			must(t, err)
			defer r.Close()
			c, err := r.NewConsumer(ConsumerConfig{Policy: tc.policy})
			if err == nil {
				defer c.Close()
			}
			if tc.refused == "" && err != nil || tc.refused != "" && (!errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), tc.refused)) {
				t.Errorf("found %v, want %q", err, tc.refused)
			}
			// A place is not lost by asking for too much.
			if c, err := r.NewConsumer(ConsumerConfig{Policy: Lossy}); tc.refused != "" {
				must(t, err)
				must(t, c.Close())
			}
		})
	}
}

// A consumer that came as a lossy one and writes to its slot that it is
// reliable does not hold the producer up, or no longer than its patience, and
// not at all under a generation that is not its own: it could have a new one
// each time that its patience is over.
func TestPolicyChangedInTheSlot(t *testing.T) {
	for _, tc := range []struct {
		patience, held time.Duration
		own            bool // its own generation
	}{{0, 0, true}, {30 * time.Millisecond, 30 * time.Millisecond, true}, {30 * time.Millisecond, 0, false}} {
		t.Run(fmt.Sprint(tc), func(t *testing.T) {
			path := socketPath(t)
			_, p := listen(t, path, ServeConfig{Config: Config{Capacity: MinCapacity}, Distrust: true, Patience: tc.patience})
			r, err := Dial(t.Context(), path)
			must(t, err)
			defer r.Close()
			m, err := r.backing.(*dialedBacking).own.Map(shm.ReadWrite)
			must(t, err)
			defer func() { _ = m.Unmap() }()
			words := segmentOf(m.Bytes())
			store32(words.w32(slotPolicy), uint32(kindReliable))
			store64(words.w64(slotCursor), 0)
			generation := uint64(7)
			if tc.own {
				generation = load64(words.w64(slotGeneration)) + 1
			}
			store64(words.w64(slotGeneration), generation)
			must(t, r.backing.joined(segment{}))
			begin := time.Now()
			for range 200 { // laps of the ring
				_, err := p.Write(make([]byte, 500))
				must(t, err)
			}
			s, err := p.Stats()
			must(t, err)
			if held := time.Since(begin); held < tc.held || (s.Producer.Evictions == 1) != (tc.held > 0) {
				t.Errorf("held up for %v and %d evictions, want %v", held, s.Producer.Evictions, tc.held)
			}
		})
	}
}

func TestSlotsForEachUser(t *testing.T) {
	path := socketPath(t)
	_, p := listen(t, path, ServeConfig{Config: Config{Slots: 9}, Distrust: true})
	dial(t, path, ConsumerConfig{Policy: Lossy})
	second := dial(t, path, ConsumerConfig{Policy: Lossy})
	if _, err := Dial(t.Context(), path); !errors.Is(err, ErrNoSlot) || !strings.Contains(err.Error(), "user id 0 has 2, want fewer than 2") && os.Geteuid() == 0 {
		t.Errorf("found %v, want ErrNoSlot", err)
	}
	must(t, second.Close())
	waitFor(t, "the slot is free", func() bool { s, err := p.Stats(); return err == nil && len(s.Consumers) == 1 })
	dial(t, path, ConsumerConfig{Policy: Lossy})
	for _, n := range []int{-1, 10} {
		if _, err := Serve(nil, ServeConfig{Config: Config{Slots: 9}, PerUser: n}); !errors.Is(err, ErrConfig) {
			t.Errorf("%d for each user: found %v, want ErrConfig", n, err)
		}
	}
}

// Strangers that sleep hear of every record, however fast and however seldom
// records come, with all time bounds on sleeping switched off.
func TestStrangersAreWoken(t *testing.T) {
	defer func(d time.Duration) { sleepBound = d }(sleepBound)
	sleepBound = -1
	path := socketPath(t)
	_, p := listen(t, path, ServeConfig{Config: Config{Capacity: 1 << 16}, Distrust: true, Patience: -1})
	const records, consumers = 60000, 3
	done := make(chan error, consumers)
	ctx := soon(t, time.Minute)
	for range consumers {
		c := dial(t, path, ConsumerConfig{Wait: Block})
		go func() {
			for next := uint64(1); ; next++ {
				rec, err := c.Read(ctx, nil)
				if err == io.EOF && next == records+1 {
					done <- nil
					return
				}
				if err != nil || rec.Sequence != next {
					done <- fmt.Errorf("record %d, want %d: %v", rec.Sequence, next, err)
					return
				}
			}
		}()
	}
	for i := range records {
		_, err := p.Write([]byte("record"))
		must(t, err)
		switch { // dense, with pauses around the length of a spell, seldom
		case i%1000 == 0:
			time.Sleep(3 * spell)
		case i%100 == 0:
			time.Sleep(time.Duration(i % 2000 * 1000))
		}
	}
	must(t, p.Drain(ctx))
	if wakes := p.strangers.woken(); wakes == 0 || !p.strangers.present {
		t.Errorf("%d wakes of strangers, want some", wakes)
	}
	must(t, p.Close())
	for range consumers {
		must(t, <-done)
	}
}

// A stranger that claims at every moment that it sleeps costs a bounded number
// of wakes.
func TestStrangerThatAlwaysWaits(t *testing.T) {
	path := socketPath(t)
	_, p := listen(t, path, ServeConfig{Config: Config{Capacity: 1 << 16}, Distrust: true})
	c := dial(t, path, ConsumerConfig{Policy: Lossy})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for waiting := c.slotWord32(c.slot, slotWaiting); ; {
			store32(waiting, 1)
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	begin := time.Now()
	commits := uint64(0)
	for ; time.Since(begin) < 200*time.Millisecond; commits++ {
		_, err := p.Write([]byte("record"))
		must(t, err)
	}
	spells := uint64(time.Since(begin)/spell) + 1
	close(stop)
	<-stopped
	if wakes := p.strangers.woken(); wakes > (spellLooks+1)*(spells+1) {
		t.Errorf("%d wakes for %d commits in %d spells, want at most %d", wakes, commits, spells, (spellLooks+1)*(spells+1))
	}
}

// inheritRole is a child that was given a place on a ring as its descriptor 3.
func inheritRole() error {
	orphanGuard()
	r, err := Inherit(context.Background(), os.NewFile(3, "invitation"))
	if err != nil {
		return err
	}
	return readAll(r)
}

// Children get a ring that has no name anywhere; both sides hear of the
// other's death.
func TestInvite(t *testing.T) {
	before := taken(t)
	r, err := Serve(nil, ServeConfig{Config: Config{Capacity: 1 << 16}})
	must(t, err)
	p, err := r.NewProducer()
	must(t, err)
	first, err := r.Invite()
	must(t, err)
	cmd, out := outputWith(t, "inherit", first)
	must(t, p.WaitConsumers(soon(t, 10*time.Second), 1))
	second, err := r.Invite()
	must(t, err)
	doomed, _ := outputWith(t, "inherit", second)
	must(t, p.WaitConsumers(soon(t, 10*time.Second), 2))
	must(t, doomed.Process.Kill())
	waitFor(t, "the producer hears of a death", func() bool { s, err := p.Stats(); return err == nil && !s.Consumers[1].Alive })
	const count = 5000
	for i := range uint64(count) {
		_, err := p.Write(pattern(i+1, killSize(i+1)))
		must(t, err)
	}
	must(t, p.Close())
	text, err := io.ReadAll(out)
	must(t, err)
	if want := fmt.Sprintf("joined\nend %d 0\n", count); string(text) != want || cmd.Wait() != nil {
		t.Errorf("said %q, want %q", text, want)
	}
	if _, err := r.Invite(); !errors.Is(err, ErrRemoved) {
		t.Errorf("after the end: found %v, want ErrRemoved", err)
	}
	must(t, r.Close())
	_ = doomed.Wait()
	returns(t, before)
}

func TestInvitationsThatAreNone(t *testing.T) {
	named, err := Anonymous(Config{})
	must(t, err)
	if _, err := named.Invite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("found %v, want errors.ErrUnsupported", err)
	}
	must(t, named.Close())
	if _, err := named.Invite(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("found %v, want os.ErrClosed", err)
	}
	pr, pw, err := os.Pipe()
	must(t, err)
	defer pw.Close()
	if _, err := Inherit(t.Context(), pr); err == nil {
		t.Error("a pipe was taken for an invitation")
	}
	// Nobody who ever answers.
	c, f, err := shm.Pair()
	must(t, err)
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Inherit(ctx, f); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("found %v, want the context's error", err)
	}
	// Somebody who answers otherwise.
	c, f, err = shm.Pair()
	must(t, err)
	defer c.Close()
	_, err = c.Write(bytes.Repeat([]byte("x"), replySize))
	must(t, err)
	if _, err := Inherit(t.Context(), f); !errors.Is(err, ErrFormat) {
		t.Errorf("found %v, want ErrFormat", err)
	}
}

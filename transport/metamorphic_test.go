package transport

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/transport/internal/mqueue"
)

// One random script of operations runs over every medium but udp:, where nobody
// can join before the first record, and with every way of waiting. What its
// consumers see must not depend on either. A failure names its seed: go test -run Metamorphic -seed N. CAROUSEL_SCRIPTS=N runs N scripts.
var seed = flag.Uint64("seed", 0, "of the metamorphic test; 0: any")

// A step is one operation of a script.
type step struct {
	do       string // publish, abort, join, read, leave
	records  []scripted
	consumer int // the one that joins, reads or leaves, from 0
	policy   Policy
	types    []uint16
	n        int // records to read
}

type scripted struct {
	h    Header
	size int
}

const (
	scriptCapacity = 64 << 10
	scriptBacklog  = 20 << 10 // no consumer falls so far behind: nobody is gated, lapped or evicted
)

// A kind of script is one that some media can play.
type kind int

const (
	many  kind = iota // any number of consumers come and go
	one               // there is one, from the beginning to the end
	plain             // besides, it takes all types, of which there is one, and is a few batches behind
)

func (k kind) String() string { return [...]string{"many", "one", "plain"}[k] }

// plainBacklog is how many batches wait in a plain script: fewer than a queue
// has messages.
const plainBacklog = 4

// script makes one up.
func script(rng *rand.Rand, kind kind) (steps []step) {
	type reader struct {
		id      int
		types   []uint16
		backlog []scripted
		batches int
	}
	var readers []*reader
	ids := 0
	join := func() {
		r := &reader{id: ids}
		if ids++; kind != plain && rng.IntN(4) == 0 {
			r.types = []uint16{1, 2}
		}
		policies := []Policy{Reliable}
		if kind == many {
			policies = []Policy{Reliable, Lossy, Deadline(time.Hour)}
		}
		steps = append(steps, step{do: "join", consumer: r.id, policy: policies[rng.IntN(len(policies))], types: r.types})
		readers = append(readers, r)
	}
	read := func(r *reader, n int) {
		shown := 0
		for _, rec := range r.backlog[:n] {
			if len(r.types) == 0 || slices.Contains(r.types, rec.h.Type) {
				shown++
			}
		}
		if r.backlog = r.backlog[n:]; len(r.backlog) == 0 {
			r.batches = 0
		}
		steps = append(steps, step{do: "read", consumer: r.id, n: shown})
	}
	size := func(list []scripted) (n int) {
		for _, r := range list {
			n += frame.Size(r.size, frame.CRC)
		}
		return n
	}
	join()
	for range 80 {
		switch k := rng.IntN(10); {
		case k < 5:
			var batch []scripted
			for range 1 + rng.IntN(20) {
				rec := scripted{Header{Type: uint16(rng.IntN(4))}, rng.IntN(60)}
				if kind == plain {
					rec.h.Type = 3
				}
				if rng.IntN(5) == 0 {
					rec.size = rng.IntN(3000)
				}
				batch = append(batch, rec)
				if rng.IntN(10) == 0 { // a chain
					batch[len(batch)-1].h.More = true
					batch = append(batch, scripted{Header{Type: rec.h.Type, Continues: true}, rng.IntN(60)})
				}
			}
			for len(batch) > 1 && size(batch) > scriptBacklog/2 {
				batch = batch[:len(batch)-1]
			}
			batch[len(batch)-1].h.More = false
			if rng.IntN(5) == 0 {
				steps = append(steps, step{do: "abort", records: batch})
				continue
			}
			for _, r := range readers {
				if size(r.backlog)+size(batch) > scriptBacklog || kind == plain && r.batches == plainBacklog {
					read(r, len(r.backlog))
				}
			}
			steps = append(steps, step{do: "publish", records: batch})
			for _, r := range readers {
				r.backlog = append(r.backlog, batch...)
				r.batches++
			}
		case k < 8 && len(readers) > 0:
			if r := readers[rng.IntN(len(readers))]; len(r.backlog) > 0 {
				read(r, 1+rng.IntN(len(r.backlog)))
			}
		case k == 8 && kind == many && len(readers) < 4:
			join()
		case k == 9 && kind == many && len(readers) > 1:
			i := rng.IntN(len(readers))
			steps = append(steps, step{do: "leave", consumer: readers[i].id})
			readers = slices.Delete(readers, i, i+1)
		}
	}
	for _, r := range readers {
		read(r, len(r.backlog))
	}
	return steps
}

// play runs a script and returns what each consumer saw, as text.
func play(steps []step, wait Wait, create func() (Producer, error), open func(ConsumerConfig) (Consumer, error)) (histories map[int][]string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	p, err := create()
	if err != nil {
		return nil, err
	}
	closed := false
	consumers := map[int]Consumer{}
	defer func() {
		for _, c := range consumers {
			err = errors.Join(err, c.Close())
		}
		if !closed {
			err = errors.Join(err, p.Close())
		}
	}()
	histories = map[int][]string{}
	note := func(id int, format string, args ...any) {
		histories[id] = append(histories[id], fmt.Sprintf(format, args...))
	}
	for i, s := range steps {
		switch s.do {
		case "publish", "abort":
			for _, rec := range s.records {
				b, err := p.Reserve(ctx, rec.h, rec.size)
				if err != nil {
					return nil, fmt.Errorf("step %d: reserve: %w", i, err)
				}
				for j := range b {
					b[j] = byte(int(p.Sequence()) + j*7)
				}
			}
			if s.do == "abort" {
				p.Abort()
			} else if err := p.Commit(); err != nil {
				return nil, fmt.Errorf("step %d: commit: %w", i, err)
			}
		case "join":
			c, err := open(ConsumerConfig{Name: fmt.Sprint("consumer ", s.consumer), Policy: s.policy, Types: s.types, Wait: wait})
			if err != nil {
				return nil, fmt.Errorf("step %d: join: %w", i, err)
			}
			consumers[s.consumer] = c
			note(s.consumer, "joins before record %d of producer %d", c.Sequence(), c.Epoch())
		case "read":
			c := consumers[s.consumer]
			for range s.n {
				rec, err := c.Next(ctx)
				if err != nil {
					return nil, fmt.Errorf("step %d: consumer %d: %w", i, s.consumer, err)
				}
				note(s.consumer, "record %d type %d flags %v: %x", rec.Sequence, rec.Type(), rec.Flags(), sha256.Sum256(rec.Payload()))
			}
			if err := c.Release(); err != nil {
				return nil, fmt.Errorf("step %d: release of consumer %d: %w", i, s.consumer, err)
			}
		case "leave":
			if err := consumers[s.consumer].Close(); err != nil {
				return nil, fmt.Errorf("step %d: leave: %w", i, err)
			}
			delete(consumers, s.consumer)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Close() }() // which may wait for those who read the rest
	closed = true
	for id, c := range consumers {
		_, err := c.Next(ctx)
		note(id, "then %v before record %d, lost %d", err, c.Sequence(), c.Stats().Lost)
		if err != io.EOF {
			return nil, fmt.Errorf("consumer %d at the end: %w", id, err)
		}
	}
	if err := <-ended; err != nil {
		return nil, fmt.Errorf("close: %w", err)
	}
	return histories, nil
}

func TestMetamorphic(t *testing.T) {
	scripts := 1
	if n, err := strconv.Atoi(os.Getenv("CAROUSEL_SCRIPTS")); err == nil {
		scripts = n
	}
	for range scripts {
		s := *seed
		if s == 0 {
			s = rand.Uint64() | 1
		}
		for _, kind := range []kind{many, one, plain} {
			t.Run(fmt.Sprintf("%v/seed=%d", kind, s), func(t *testing.T) {
				metamorphose(t, script(rand.New(rand.NewPCG(s, 1)), kind), kind)
			})
		}
		if t.Failed() {
			t.Fatalf("again: go test ./transport -run Metamorphic -seed %d", s)
		}
	}
}

func metamorphose(t *testing.T, steps []step, kind kind) {
	var want map[int][]string
	var first string
	usual := leastSplice
	defer func() { leastSplice = usual }()
	for _, checksum := range []bool{false, true} {
		want = nil // flags are part of the history
		for _, wait := range []Wait{Adaptive, Block, Yield, Spin} {
			urls := media(t)
			leastSplice = usual
			if wait == Spin || wait == Block {
				leastSplice = 1
			}
			if kind == many {
				delete(urls, "fifo")
			}
			if checksum { // which it always has
				urls["log"] = logURL(t)
			}
			if _, err := mqueue.Limits(); err == nil && kind == plain {
				urls["mq"] = mqURL(t)
			}
			for medium, url := range urls {
				cfg := ProducerConfig{Capacity: scriptCapacity, Wait: wait, Checksum: checksum}
				create := func() (Producer, error) { return Create(url, cfg) }
				open := func(cfg ConsumerConfig) (Consumer, error) { return Open(within(t, 10*time.Second), url, cfg) }
				compare(t, steps, fmt.Sprintf("%s, %v", medium, wait), wait, create, open, &want, &first)
			}
			if kind != many && runtime.GOOS != "windows" {
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				create := func() (Producer, error) {
					return CreatePipe(w, ProducerConfig{Capacity: scriptCapacity, Wait: wait, Checksum: checksum})
				}
				open := func(cfg ConsumerConfig) (Consumer, error) { return OpenPipe(within(t, 10*time.Second), r, cfg) }
				compare(t, steps, fmt.Sprintf("pipe, %v", wait), wait, create, open, &want, &first)
			}
		}
	}
}

func compare(t *testing.T, steps []step, name string, wait Wait, create func() (Producer, error), open func(ConsumerConfig) (Consumer, error), want *map[int][]string, first *string) {
	t.Helper()
	got, err := play(steps, wait, create, open)
	switch {
	case err != nil:
		t.Errorf("%s: %v", name, err)
	case *want == nil:
		*want, *first = got, name
		if len(got) == 0 || !strings.Contains(fmt.Sprint(got), "record 1 ") {
			t.Errorf("a script that does nothing: %v", got)
		}
	default:
		if diff := cmp.Diff(*want, got); diff != "" {
			t.Errorf("%s differs from %s:\n%s", name, *first, diff)
		}
	}
}

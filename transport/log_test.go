package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func logURL(t *testing.T) string {
	return "log://" + filepath.ToSlash(filepath.Join(t.TempDir(), "log"))
}

func created(t *testing.T, url string, cfg ProducerConfig) Producer {
	t.Helper()
	p, err := Create(url, cfg)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("SKIP: not on this system: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func opened(t *testing.T, url string, cfg ConsumerConfig) Consumer {
	t.Helper()
	c, err := Open(within(t, 10*time.Second), url, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func ends(t *testing.T, c Consumer, want error) {
	t.Helper()
	if rec, err := c.Next(within(t, 10*time.Second)); !errors.Is(err, want) {
		t.Fatalf("got record %d, %v; want %v", rec.Sequence, err, want)
	}
}

// A log is its files: a copy, made while the log is written or afterwards, is
// read like it.
func TestALogCanBeCopied(t *testing.T) {
	url := logURL(t)
	p := created(t, url, ProducerConfig{})
	copied := func() Consumer {
		t.Helper()
		folder := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(folder, os.DirFS(filepath.FromSlash(strings.TrimPrefix(url, "log://")))); err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(folder, "*"))
		for _, f := range files {
			if err := os.Chmod(f, 0o600); err != nil { // which CopyFS does not keep
				t.Fatal(err)
			}
		}
		return opened(t, "log://"+filepath.ToSlash(folder), ConsumerConfig{From: Oldest})
	}
	publish(t, p, "one", "two")
	early := copied()
	expect(t, early, "one", "two")
	ends(t, early, ErrProducerDied) // none has the copy
	publish(t, p, "three")
	closed(t, p)
	late := copied()
	expect(t, late, "one", "two", "three")
	ends(t, late, io.EOF)
}

func TestLogGoesOnAcrossProducers(t *testing.T) {
	url := logURL(t)
	p := created(t, url, ProducerConfig{Sync: Syncing{Each: true}, Label: "first"})
	a := opened(t, url, ConsumerConfig{From: Oldest})
	latest := opened(t, url, ConsumerConfig{})
	publish(t, p, "one", "", "three")
	expect(t, a, "one", "", "three")
	if _, err := a.TryNext(); err != ErrEmpty {
		t.Errorf("got %v, want ErrEmpty", err)
	}
	expect(t, latest, "one", "", "three")
	if err := p.(Syncer).Sync(); err != nil {
		t.Error(err)
	}
	if _, err := Create(url, ProducerConfig{}); !errors.Is(err, ErrProducerLive) || !strings.Contains(err.Error(), "first") {
		t.Errorf("a second producer: %v", err)
	}
	if err := p.WaitConsumers(t.Context(), 1); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("counting consumers: %v", err)
	}
	if _, err := p.TryReserve(Header{}, p.MaxRecord()+1); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a large record: %v", err)
	}
	if _, err := p.TryReserve(Header{}, 9); err != nil {
		t.Error(err)
	}
	p.Abort()
	if st, err := Inspect(url); err != nil || !st.Producer.Alive || st.Producer.Published != 3 || st.Epoch != 1 {
		t.Errorf("%+v, %v", st, err)
	}
	closed(t, p)
	ends(t, a, io.EOF)
	if _, err := Open(within(t, 20*time.Millisecond), url, ConsumerConfig{}); !errors.Is(err, ErrNoProducer) {
		t.Errorf("latest of an ended log: %v", err)
	}
	next := make(chan Producer, 1)
	time.AfterFunc(20*time.Millisecond, func() {
		p, err := Create(url, ProducerConfig{})
		if err != nil {
			t.Error(err)
		}
		next <- p
	})
	if err := a.WaitProducer(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	p = <-next
	publish(t, p, "four44")
	expect(t, a, "four44")
	if a.Epoch() != 2 || a.Sequence() != 5 || p.Sequence() != 5 {
		t.Errorf("epoch %d, sequence %d, %d", a.Epoch(), a.Sequence(), p.Sequence())
	}
	typed := opened(t, url, ConsumerConfig{From: Oldest, Types: []uint16{6}})
	expect(t, typed, "four44")
	closed(t, p)
	ends(t, typed, io.EOF)
}

// Many records are viewed before they are released, across windows.
func TestLogRecordsStayUntilRelease(t *testing.T) {
	url := logURL(t)
	p := created(t, url, ProducerConfig{Segment: 600 << 10})
	for i := range 40 {
		publish(t, p, strings.Repeat(string(rune('A'+i)), 40_000+i))
	}
	c := opened(t, url, ConsumerConfig{From: Oldest})
	for range 2 {
		var views [][]byte
		for range 20 {
			rec, err := c.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			views = append(views, rec.Payload())
		}
		for _, v := range views {
			if s := string(v); s != strings.Repeat(s[:1], len(s)) || len(s) != 40_000+int(s[0]-'A') {
				t.Errorf("a view of %d bytes, beginning with %q, has changed", len(s), s[:1])
			}
		}
		if err := c.Release(); err != nil {
			t.Error(err)
		}
	}
}

func TestOnlyALogKeeps(t *testing.T) {
	for _, cfg := range []ProducerConfig{{Segment: 1 << 20}, {Retain: Retention{Bytes: 1}}, {Sync: Syncing{Each: true}}} {
		if _, err := Create("shm://transport-test-none", cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	for _, url := range []string{logURL(t), "mq://transport-test-none", "udp://127.0.0.1:7"} {
		if _, err := Create(url, ProducerConfig{Rendezvous: true}); !errors.Is(err, errors.ErrUnsupported) || !errors.Is(err, ErrConfig) {
			t.Errorf("%s: a rendezvous: %v", url, err)
		}
	}
	if _, err := Create(logURL(t), ProducerConfig{Segment: -1}); !errors.Is(err, ErrConfig) {
		t.Errorf("a segment of -1 bytes: %v", err)
	}
	if _, err := Open(t.Context(), "shm://transport-test-none", ConsumerConfig{Since: time.Now()}); !errors.Is(err, ErrConfig) {
		t.Errorf("a ring from a time: %v", err)
	}
	for _, s := range []string{"none", "each", "interval=20ms"} {
		if v, err := ParseSyncing(s); err != nil || v.String() != s {
			t.Errorf("%q: %v, %v", s, v, err)
		}
	}
}

func TestLogLossIsExact(t *testing.T) {
	url := logURL(t)
	p := created(t, url, ProducerConfig{Segment: 1 << 10, Retain: Retention{Bytes: 4 << 10}})
	c := opened(t, url, ConsumerConfig{From: Oldest})
	for i := range 500 {
		publish(t, p, fmt.Sprintf("%050d", i))
	}
	closed(t, p)
	var seen, lost uint64
	next := uint64(1)
	for {
		rec, err := c.Next(t.Context())
		if over, ok := errors.AsType[*OverrunError](err); ok {
			if over.From != next || over.Lost != over.To-over.From+1 {
				t.Fatalf("%+v, expected %d", over, next)
			}
			lost, next = lost+over.Lost, over.To+1
			continue
		}
		if err == io.EOF {
			break
		}
		if err != nil || rec.Sequence != next || string(rec.Payload()) != fmt.Sprintf("%050d", next-1) {
			t.Fatalf("record %d, %v, expected %d", rec.Sequence, err, next)
		}
		seen, next = seen+1, next+1
	}
	if st := c.Stats(); seen+lost != 500 || st.Lost != lost || st.Received != seen || lost == 0 {
		t.Errorf("%d seen, %d lost; %+v", seen, lost, st)
	}
}

// A context that ends, Close and the next record all end a wait.
func waits(t *testing.T, p Producer, c Consumer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	time.AfterFunc(20*time.Millisecond, func() {
		if b, err := p.TryReserve(Header{Type: 5}, 5); err == nil {
			copy(b, "later")
		}
		_ = p.Commit()
	})
	expect(t, c, "later")
	time.AfterFunc(20*time.Millisecond, func() { _ = c.Close() })
	ends(t, c, errClosed)
	if _, err := c.TryNext(); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestLogWaits(t *testing.T) {
	url := logURL(t)
	p := created(t, url, ProducerConfig{})
	waits(t, p, opened(t, url, ConsumerConfig{From: Oldest}))
}

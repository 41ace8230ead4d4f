package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/transport/internal/mqueue"
)

var errClosed = os.ErrClosed

// mqURL is that of a queue no other test has; what is left of it goes.
func mqURL(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("transport-test-%d-%d", os.Getpid(), names.Add(1))
	t.Cleanup(func() {
		_ = mqueue.Remove(name)
		if path, err := mqPath(name); err == nil {
			_ = os.Remove(path)
		}
	})
	return "mq://" + name
}

func TestQueueSharesRecordsAndEnds(t *testing.T) {
	url := mqURL(t)
	p := created(t, url, ProducerConfig{Checksum: true})
	a, b := opened(t, url, ConsumerConfig{}), opened(t, url, ConsumerConfig{})
	publish(t, p, "one", "two")       // of one type: one message
	publish(t, p, "eighteen letters") // of a higher priority
	expect(t, a, "eighteen letters", "one", "two")
	publish(t, p, "three")
	expect(t, b, "three")
	if err := p.Drain(within(t, 5*time.Second)); err != nil {
		t.Error(err)
	}
	if err := p.WaitConsumers(t.Context(), 1); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("counting consumers: %v", err)
	}
	if _, err := Create(url, ProducerConfig{}); !errors.Is(err, ErrProducerLive) {
		t.Errorf("a second producer: %v", err)
	}
	if st, err := Inspect(url); err != nil || !st.Producer.Alive || st.Epoch != 1 || st.Capacity < 1024 {
		t.Errorf("%+v, %v", st, err)
	}
	closed(t, p)
	for _, c := range []Consumer{a, b, a} { // each finds the end that another put back
		ends(t, c, io.EOF)
	}
	if err := a.WaitProducer(within(t, time.Second)); !errors.Is(err, ErrRemoved) {
		t.Errorf("after a clean end: %v", err)
	}
	if _, err := Inspect(url); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the queue remains: %v", err)
	}
}

func TestQueueLimitsAreNamed(t *testing.T) {
	url := mqURL(t)
	limits, err := mqueue.Limits()
	if err != nil {
		t.Skip("SKIP: no message queues here: ", err)
	}
	if _, err := Create(url, ProducerConfig{Capacity: 1 << 30}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "msg_max") {
		t.Errorf("a large capacity: %v", err)
	}
	p := created(t, url, ProducerConfig{Capacity: 4 << 10})
	if st, _ := p.Stats(); st.Capacity != 4<<10 {
		t.Errorf("%+v", st)
	}
	if _, err := p.TryReserve(Header{Type: 32768}, 1); !errors.Is(err, ErrType) || !strings.Contains(err.Error(), "32767") {
		t.Errorf("a large type: %v", err)
	}
	if _, err := p.TryReserve(Header{}, limits.Bytes); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a large record: %v", err)
	}
	for i := range 4 {
		if _, err := p.TryReserve(Header{Type: 32767}, p.MaxRecord()); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
	if _, err := p.TryReserve(Header{}, 1); !errors.Is(err, ErrBatchFull) {
		t.Errorf("a fifth message: %v", err)
	}
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.TryReserve(Header{}, 1); !errors.Is(err, ErrFull) {
		t.Errorf("into a full queue: %v", err)
	}
	if _, err := p.Reserve(within(t, 20*time.Millisecond), Header{}, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("into a full queue: %v", err)
	}
	if err := p.Drain(within(t, 20*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "4 messages are left") {
		t.Errorf("draining: %v", err)
	}
	c := opened(t, url, ConsumerConfig{})
	time.AfterFunc(20*time.Millisecond, func() { _, _ = c.Next(t.Context()) })
	if _, err := p.Reserve(within(t, 5*time.Second), Header{}, 1); err != nil {
		t.Errorf("room came: %v", err)
	}
	p.Abort()
	closed(t, p)
	// What was not drained stays, with its end.
	if _, err := Create(url, ProducerConfig{Capacity: 8 << 10}); !errors.Is(err, ErrGeometry) {
		t.Errorf("another capacity: %v", err)
	}
	late := opened(t, url, ConsumerConfig{From: Oldest})
	for range 3 {
		if rec, err := late.Next(t.Context()); err != nil || len(rec.Payload()) != p.MaxRecord() {
			t.Errorf("%d bytes, %v", len(rec.Payload()), err)
		}
	}
	ends(t, late, ErrProducerDied) // the refused producer above was the last, and said nothing
	if _, err := Open(t.Context(), url, ConsumerConfig{Types: []uint16{1}}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("choosing by type: %v", err)
	}
}

// The end of a stream that was left does not keep the next one from being
// drained.
func TestQueueWithAnOldEndIsEmpty(t *testing.T) {
	url := mqURL(t)
	p := created(t, url, ProducerConfig{Capacity: 16 << 10})
	publish(t, p, "left")
	closed(t, p)
	c := opened(t, url, ConsumerConfig{From: Oldest})
	expect(t, c, "left")
	ends(t, c, io.EOF)
	closed(t, c)
	p = created(t, url, ProducerConfig{Capacity: 16 << 10})
	if err := p.Drain(within(t, time.Second)); err != nil {
		t.Error(err)
	}
	closed(t, p)
	if _, err := Inspect(url); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the queue remains: %v", err)
	}
	p = created(t, url, ProducerConfig{Capacity: 16 << 10})
	publish(t, p, "left again")
	closed(t, p)
	p = created(t, url, ProducerConfig{Capacity: 16 << 10})
	c = opened(t, url, ConsumerConfig{})
	expect(t, c, "left again")
	publish(t, p, "new")
	expect(t, c, "new")
	closed(t, p)
	ends(t, c, io.EOF)
}

// What a consumer took and did not view goes back.
func TestQueueTakesBackWhatWasNotViewed(t *testing.T) {
	url := mqURL(t)
	p := created(t, url, ProducerConfig{Capacity: 16 << 10})
	publish(t, p, "a", "b", "c", "d")
	first := opened(t, url, ConsumerConfig{})
	expect(t, first, "a")
	closed(t, first)
	second := opened(t, url, ConsumerConfig{})
	expect(t, second, "b", "c", "d")
	// Also behind the end.
	publish(t, p, "e", "f")
	expect(t, second, "e")
	third := opened(t, url, ConsumerConfig{})
	closed(t, p)
	closed(t, second)
	expect(t, third, "f")
	ends(t, third, io.EOF)
}

func TestQueueProducerDies(t *testing.T) {
	url := mqURL(t)
	p := created(t, url, ProducerConfig{Capacity: 16 << 10})
	c := opened(t, url, ConsumerConfig{})
	publish(t, p, "last")
	start := time.Now()
	time.AfterFunc(20*time.Millisecond, func() { _ = p.(*mqProducer).life.leave(false) }) // as a kill would
	expect(t, c, "last")
	ends(t, c, ErrProducerDied)
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("told after %v", d)
	}
	publishNext := func() {
		p := created(t, url, ProducerConfig{Capacity: 16 << 10})
		publish(t, p, "first")
	}
	publishNext()
	if err := c.WaitProducer(within(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "first")
	if c.Epoch() != 2 || c.Sequence() != 2 {
		t.Errorf("epoch %d, sequence %d", c.Epoch(), c.Sequence())
	}
}

func TestQueueWaits(t *testing.T) {
	url := mqURL(t)
	p := created(t, url, ProducerConfig{Capacity: 16 << 10})
	waits(t, p, opened(t, url, ConsumerConfig{}))
}

package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/internal/mutate"
)

func udpURL(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return "udp://" + conn.LocalAddr().String()
}

// hears opens a consumer, which needs a datagram to begin with: p's records
// until it has.
func hears(t *testing.T, url string, p Producer, cfg ConsumerConfig) (c Consumer, last uint64) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, _ = Open(within(t, 10*time.Second), url, cfg)
	}()
	for {
		publish(t, p, "hello")
		select {
		case <-done:
			if c == nil {
				t.Fatal("no consumer")
			}
			t.Cleanup(func() { _ = c.Close() })
			return c, p.Sequence() - 1
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// until takes records up to number n.
func until(t *testing.T, c Consumer, n uint64) {
	t.Helper()
	for c.Sequence() <= n {
		if _, err := c.Next(within(t, 10*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Release(); err != nil {
		t.Error(err)
	}
}

func TestDatagrams(t *testing.T) {
	url := udpURL(t)
	for _, crc := range []bool{false, true} {
		p := created(t, url, ProducerConfig{Checksum: crc})
		c, last := hears(t, url, p, ConsumerConfig{})
		until(t, c, last)
		large := strings.Repeat("x", 60_000)
		publish(t, p, "a", "", "ccc", large, "e")
		expect(t, c, "a", "", "ccc", large, "e")
		if _, err := p.TryReserve(Header{}, p.MaxRecord()+1); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "65507") {
			t.Errorf("a large record: %v", err)
		}
		if b, err := p.TryReserve(Header{Type: 9}, p.MaxRecord()); err != nil || len(b) < 65_000 {
			t.Errorf("the largest record: %d bytes, %v", len(b), err)
		}
		if err := p.Commit(); err != nil {
			t.Error(err)
		}
		if rec, err := c.Next(within(t, 5*time.Second)); err != nil || len(rec.Payload()) != p.MaxRecord() {
			t.Errorf("the largest record: %d bytes, %v", len(rec.Payload()), err)
		}
		closed(t, p)
		ends(t, c, io.EOF)
		closed(t, c)
	}
	if _, err := Inspect(url); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("looking at datagrams: %v", err)
	}
	ctx := within(t, 20*time.Millisecond)
	if _, err := Open(ctx, url, ConsumerConfig{}); !errors.Is(err, ErrNoProducer) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody sends: %v", err)
	}
}

func TestDatagramWaits(t *testing.T) {
	url := udpURL(t)
	p := created(t, url, ProducerConfig{})
	c, last := hears(t, url, p, ConsumerConfig{})
	until(t, c, last)
	waits(t, p, c)
}

// raw sends datagrams made by hand.
type raw struct {
	t *testing.T
	net.Conn
}

func rawTo(t *testing.T, url string) raw {
	conn, err := net.Dial("udp", strings.TrimPrefix(url, "udp://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return raw{t, conn}
}

func (r raw) bytes(b []byte) {
	r.t.Helper()
	if _, err := r.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

func (r raw) record(stream, seq uint64, text string) {
	b := frame.Preamble{Epoch: stream, First: seq}.Append(nil)
	r.bytes(frame.Append(b, frame.NewRecord(seq, uint16(len(text)), 0, []byte(text))))
}

func (r raw) end(stream, seq uint64) {
	b := frame.Preamble{Epoch: stream, First: seq}.Append(nil)
	r.bytes(frame.Append(b, frame.NewRecord(seq, 0, frame.EOS, make([]byte, 8))))
}

func listening(t *testing.T, url string, first func(raw), cfg ConsumerConfig) (Consumer, raw) {
	t.Helper()
	out := make(chan Consumer, 1)
	go func() {
		c, _ := Open(within(t, 10*time.Second), url, cfg)
		out <- c
	}()
	r := rawTo(t, url)
	// Before anybody listens sending fails, or is lost.
	for {
		b := frame.Preamble{Epoch: 7, First: 1}.Append(nil)
		if _, err := r.Write(b[:31]); err == nil {
			time.Sleep(time.Millisecond)
			if _, err := r.Write(b[:31]); err == nil {
				break
			}
		}
		time.Sleep(time.Millisecond)
	}
	first(r)
	c := <-out
	if c == nil {
		t.Fatal("no consumer")
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, r
}

func overrun(t *testing.T, c Consumer, from, to uint64) {
	t.Helper()
	_, err := c.Next(within(t, 5*time.Second))
	if over, ok := errors.AsType[*OverrunError](err); !ok || over.From != from || over.To != to || over.Lost != to-from+1 {
		t.Fatalf("got %v, want the loss of %d to %d", err, from, to)
	}
}

func TestDatagramGapsDisorderAndStrangers(t *testing.T) {
	c, r := listening(t, udpURL(t), func(r raw) { r.record(7, 3, "three") }, ConsumerConfig{})
	expect(t, c, "three")
	r.record(7, 4, "four")
	r.bytes([]byte("hello, is this the web server?"))
	r.bytes(nil)
	r.record(7, 8, "eight")
	expect(t, c, "four")
	overrun(t, c, 5, 7)
	expect(t, c, "eight")
	r.record(7, 6, "late") // comes as it is: its number tells
	r.record(7, 8, "again")
	for _, want := range []uint64{6, 8} {
		if rec, err := c.Next(t.Context()); err != nil || rec.Sequence != want {
			t.Errorf("record %d, %v; want %d", rec.Sequence, err, want)
		}
	}
	damaged := frame.Append(frame.Preamble{Epoch: 7, First: 9}.Append(nil), frame.NewRecord(9, 0, frame.CRC, []byte("x")))
	damaged[48] ^= 1
	r.bytes(damaged)
	r.end(7, 12)
	overrun(t, c, 9, 11)
	ends(t, c, io.EOF)
	if st := c.Stats(); st.Lost != 6 || st.Received != 5 {
		t.Errorf("%+v", st)
	}
}

func TestDatagramsOfTheNextProducer(t *testing.T) {
	c, r := listening(t, udpURL(t), func(r raw) { r.record(7, 1, "one") }, ConsumerConfig{})
	expect(t, c, "one")
	r.record(9, 1, "new")
	ends(t, c, ErrProducerDied)
	ends(t, c, ErrProducerDied)
	if err := c.WaitProducer(within(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	r.record(7, 2, "of one that is thought dead")
	r.record(9, 2, "newer")
	expect(t, c, "new", "newer")
	r.end(9, 3)
	ends(t, c, io.EOF)
	r.end(9, 3)
	time.AfterFunc(20*time.Millisecond, func() { r.record(11, 1, "third") })
	if err := c.WaitProducer(within(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "third")
	if c.Epoch() != 3 {
		t.Errorf("epoch %d", c.Epoch())
	}
}

func TestDatagramStart(t *testing.T) {
	c, r := listening(t, udpURL(t), func(r raw) { r.record(7, 3, "three") }, ConsumerConfig{From: Sequence(2)})
	overrun(t, c, 2, 2)
	expect(t, c, "three")
	r.end(7, 4)
	c, _ = listening(t, udpURL(t), func(r raw) {
		r.record(7, 3, "three")
		r.record(7, 6, "six")
	}, ConsumerConfig{From: Sequence(5)})
	overrun(t, c, 5, 5)
	expect(t, c, "six")
}

// Any bytes as a datagram or a message: frames that are whole and in order, or
// ErrCorrupt.
func FuzzPacket(tf *testing.F) {
	f := mutate.Of(tf)
	b := frame.Preamble{Epoch: 1, First: 5}.Append(nil)
	f.Add(b)
	f.Add(b[:20])
	b = frame.Append(b, frame.NewRecord(5, 0, 0, []byte("five")))
	f.Add(b)
	f.Add(frame.Append(bytes.Clone(b), frame.NewRecord(6, 0, frame.CRC, make([]byte, 100))))
	f.Add(frame.Append(bytes.Clone(b), frame.NewRecord(6, 0, frame.EOS, make([]byte, 8))))
	f.Add(b[:len(b)-3])
	f.Fuzz(func(t *testing.T, b []byte) {
		c := udpConsumer{}
		if rec, ok := c.accept(b); ok {
			_, _ = c.arrived(rec)
		}
		_ = decodeMqState(b)
		p, err := openPacket(b)
		for next := p.next; err == nil; {
			var rec Record
			rec, err = p.frame()
			if err != nil {
				break
			}
			if rec.Sequence != next || next == 0 {
				t.Fatalf("sequence %d, want %d", rec.Sequence, next)
			}
			if rec.Counts() {
				next++
			}
		}
		if !errors.Is(err, ErrCorrupt) && err != io.EOF {
			t.Fatal(fmt.Errorf("an error without a name: %w", err))
		}
	})
}

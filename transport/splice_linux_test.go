//go:build linux && !carousel_portable

package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// socketPair is a connection, and a splicer for its first end.
func socketPair(t *testing.T) (a, b net.Conn, raw syscall.RawConn, p *splicer) {
	t.Helper()
	l, err := net.Listen("unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, b, err = connect(l); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	if raw, err = a.(conn).SyscallConn(); err != nil {
		t.Fatal(err)
	}
	if p, err = openSplicer(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.close() })
	return a, b, raw, p
}

func noise(n int) []byte {
	b, rnd := make([]byte, n), rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// Whatever was put arrives, in order, however little room there was: pieces
// begin and end anywhere in their pages.
func TestSplice(t *testing.T) {
	_, b, raw, p := socketPair(t)
	all := noise(3<<20 + 77)
	arrived, full := make(chan []byte), make(chan struct{})
	go func() {
		<-full
		got := make([]byte, len(all))
		_, _ = io.ReadFull(b, got)
		arrived <- got
	}()
	turned := 0 // away for lack of room
	waits := func(i int) bool { return turned > 0 && i%3 == 0 }
	for rest, i := all, 0; len(rest) > 0; i++ {
		piece := rest[:min(len(rest), 1+i*7919%300_000)]
		for len(piece) > 0 {
			n, err := p.put(raw, piece, waits(i))
			if err != nil {
				t.Fatal(err)
			}
			if piece, rest = piece[n:], rest[n:]; len(piece) > 0 {
				if waits(i) {
					t.Fatalf("%d bytes are left by a put that waits", len(piece))
				}
				if turned++; turned == 1 {
					close(full)
				}
			}
		}
		if p.held != 0 {
			t.Fatalf("%d bytes stay in the pipe behind all", p.held)
		}
	}
	if got := <-arrived; !bytes.Equal(got, all) {
		t.Error("what arrived is not what was put")
	}
}

// What was put is what the kernel refers to: the other end sees what is stored
// there before it reads. The rest of the design is about nobody doing so.
func TestSpliceRefers(t *testing.T) {
	_, b, raw, p := socketPair(t)
	data := bytes.Repeat([]byte{1}, 8<<10)
	if n, err := p.put(raw, data, false); n != len(data) || err != nil {
		t.Fatal(n, err)
	}
	data[5] = 2
	got := make([]byte, len(data))
	if _, err := io.ReadFull(b, got); err != nil || got[5] != 2 || got[6] != 1 {
		t.Errorf("found %d, %d, %v", got[5], got[6], err)
	}
}

func TestSpliceToOneThatHasGone(t *testing.T) {
	_, b, raw, p := socketPair(t)
	b.Close()
	if n, err := p.put(raw, noise(100_000), true); n != 0 || !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// splicing has a producer with a reliable consumer at a socket, whose sender
// has begun to refer to what it sends.
func splicing(t *testing.T, capacity int) (*cast, *streamConsumer, *sender) {
	t.Helper()
	p, c := pairOf(t, media(t)["unix"], ProducerConfig{Capacity: capacity}, ConsumerConfig{})
	s := p.(*cast).present()[0]
	send(t, p, 100_000)
	expectNoise(t, c, 100_000)
	s.role.Lock()
	copies := s.splicer == nil
	s.role.Unlock()
	if copies {
		if err := makeRoom(s.out); err != nil {
			t.Skip("SKIP:", err)
		}
		t.Fatal("100000 bytes were copied")
	}
	return p.(*cast), c.(*streamConsumer), s
}

func send(t *testing.T, p Producer, n int) {
	t.Helper()
	b, err := p.Reserve(within(t, 10*time.Second), Header{}, n)
	if err != nil {
		t.Fatal(err)
	}
	copy(b, noise(n))
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
}

func expectNoise(t *testing.T, c Consumer, n int) {
	t.Helper()
	rec, err := c.Next(within(t, 10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(rec.Payload(), noise(n)) {
		t.Fatalf("record %d of %d bytes is not what was sent", rec.Sequence, n)
	}
	if err := c.Release(); err != nil {
		t.Fatal(err)
	}
}

// The ring waits for what the other end has not read, and its memory may be
// used for something else after Close, before that is read.
func TestSplicedStaysAsItWas(t *testing.T) {
	p, c, s := splicing(t, 1<<20)
	sizes := []int{200_000, 70_000, 130_000}
	for _, n := range sizes {
		send(t, p, n)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if s.sent.Load() < 500_000 {
		t.Fatalf("%d bytes sent at the end", s.sent.Load())
	}
	memory := p.memory.Bytes()
	for i := range memory {
		memory[i] = 0xAA
	}
	for _, n := range sizes {
		expectNoise(t, c, n)
	}
	if _, err := c.Next(context.Background()); err != io.EOF {
		t.Error(err)
	}
}

// A full ring goes round many times beneath a consumer that reads late.
func TestSplicedGoesRound(t *testing.T) {
	p, c, _ := splicing(t, 1<<20)
	const records = 300
	failed := make(chan error, 1)
	go func() {
		for i := range records {
			rec, err := c.Next(context.Background())
			if err == nil && !bytes.Equal(rec.Payload(), noise(20_000+i*300)) {
				err = fmt.Errorf("record %d is not what was sent", i)
			}
			if i%5 == 0 {
				time.Sleep(time.Millisecond)
			}
			if err = errors.Join(err, c.Release()); err != nil {
				failed <- err
				return
			}
		}
		failed <- nil
	}()
	for i := range records {
		send(t, p, 20_000+i*300)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}

// Where the kernel takes no references any more, the rest is copied: from the
// middle of what was already in the pipe.
func TestSpliceRefusedMidway(t *testing.T) {
	a, b, raw, p := socketPair(t)
	s := &sender{out: a.(conn), raw: raw, how: sending{splices: true}, policy: Reliable, splicer: p}
	all := noise(8 << 20)
	n, err := s.put(all, false)
	if err != nil || n == 0 || n == len(all) || p.held == 0 {
		t.Fatalf("%d bytes in a socket with little room, %d in the pipe, %v", n, p.held, err)
	}
	s.splicer = &splicer{in: -1, out: -1, held: p.held}
	done := make(chan error, 1)
	go func() {
		m, err := s.put(all[n:], true)
		if err == nil && m != len(all)-n {
			err = io.ErrShortWrite
		}
		done <- err
	}()
	got := make([]byte, len(all))
	if _, err := io.ReadFull(b, got); err != nil || !bytes.Equal(got, all) {
		t.Errorf("what arrived is not what was put, %v", err)
	}
	if err := <-done; err != nil || s.splicer != nil || s.how.splices {
		t.Errorf("%v; a splicer is left: %v", err, s.splicer)
	}
}

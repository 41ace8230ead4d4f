package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// sockets are the media with a server.
func sockets(t *testing.T) map[string]string {
	all := media(t)
	some := map[string]string{}
	for _, m := range []string{"unix", "unixpacket", "tcp"} {
		if url, ok := all[m]; ok {
			some[m] = url
		}
	}
	return some
}

func pairOf(t *testing.T, url string, pc ProducerConfig, cc ConsumerConfig) (Producer, Consumer) {
	t.Helper()
	p, err := Create(url, pc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	c, err := Open(within(t, 10*time.Second), url, cc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return p, c
}

// connect makes a connection at a listening socket.
func connect(l net.Listener) (accepted, dialed net.Conn, err error) {
	if dialed, err = net.Dial(l.Addr().Network(), l.Addr().String()); err != nil {
		return nil, nil, err
	}
	if accepted, err = l.Accept(); err != nil {
		return nil, nil, errors.Join(err, dialed.Close())
	}
	return accepted, dialed, nil
}

// fill publishes records of 1000 bytes until ctx ends or n are out, and returns
// how many are.
func fill(t *testing.T, p Producer, ctx context.Context, n int) int {
	t.Helper()
	for i := range n {
		b, err := p.Reserve(ctx, Header{Type: uint16(i)}, 1000)
		if errors.Is(err, context.DeadlineExceeded) {
			return i
		}
		if err != nil {
			t.Fatal(err)
		}
		for j := range b {
			b[j] = byte(p.Sequence() - 1)
		}
		if err := p.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func filled(t *testing.T, rec Record) {
	t.Helper()
	if !bytes.Equal(rec.Payload(), bytes.Repeat([]byte{byte(rec.Sequence)}, 1000)) {
		t.Fatalf("record %d is not what was published", rec.Sequence)
	}
}

// What a reliable consumer has not released holds the producer up, wherever
// between the two it is; Drain says whom it waits for, and a release reaches
// it however little it is.
func TestSocketReliable(t *testing.T) {
	for medium, url := range sockets(t) {
		t.Run(medium, func(t *testing.T) {
			p, c := pairOf(t, url, ProducerConfig{Capacity: 64 << 10}, ConsumerConfig{Name: "slow one"})
			n := fill(t, p, within(t, 100*time.Millisecond), 1000)
			if n < 40 || n > 64 {
				t.Errorf("%d records went onto a ring for 64", n)
			}
			err := p.Drain(within(t, 20*time.Millisecond))
			if lag, ok := errors.AsType[*LagError](err); !ok || len(lag.Consumers) != 1 || lag.Consumers[0].Name != "slow one" || lag.Consumers[0].Records != uint64(n) {
				t.Errorf("got %v", err)
			}
			for range n {
				rec, err := c.Next(within(t, 10*time.Second))
				if err != nil {
					t.Fatal(err)
				}
				filled(t, rec)
			}
			if err := p.Drain(within(t, 20*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("viewed is not released: got %v", err)
			}
			if err := c.Release(); err != nil {
				t.Fatal(err)
			}
			if err := p.Drain(within(t, 10*time.Second)); err != nil {
				t.Error(err)
			}
			publish(t, p, "little")
			expect(t, c, "little")
			if err := p.Drain(within(t, 10*time.Second)); err != nil {
				t.Error(err)
			}
			if st := c.Stats(); st.Received != uint64(n+1) || st.Lost != 0 || st.Name != "slow one" {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestSocketLossy(t *testing.T) {
	for medium, url := range sockets(t) {
		t.Run(medium, func(t *testing.T) {
			p, c := pairOf(t, url, ProducerConfig{Capacity: 64 << 10}, ConsumerConfig{Policy: Lossy})
			const n = 20_000
			if fill(t, p, within(t, 20*time.Second), n) != n {
				t.Fatal("a lossy consumer held the producer up")
			}
			done := make(chan error)
			go func() { done <- p.Close() }()
			var received, lost, next uint64 = 0, 0, 1
			for {
				rec, err := c.Next(within(t, 10*time.Second))
				if over, ok := errors.AsType[*OverrunError](err); ok {
					if over.From != next {
						t.Fatalf("%v at %d", over, next)
					}
					lost, next = lost+over.Lost, over.To+1
					continue
				}
				if err == io.EOF {
					break
				}
				if err != nil || rec.Sequence != next {
					t.Fatalf("record %d at %d, %v", rec.Sequence, next, err)
				}
				filled(t, rec)
				received, next = received+1, next+1
				if err := c.Release(); err != nil {
					t.Fatal(err)
				}
			}
			if received+lost != n || lost == 0 || received == 0 || c.Stats().Lost != lost {
				t.Errorf("received %d, lost %d of %d; %+v", received, lost, n, c.Stats())
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSocketDeadline(t *testing.T) {
	for medium, url := range sockets(t) {
		t.Run(medium, func(t *testing.T) {
			p, c := pairOf(t, url, ProducerConfig{Capacity: 64 << 10}, ConsumerConfig{Policy: Deadline(50 * time.Millisecond)})
			if fill(t, p, within(t, 20*time.Second), 2000) != 2000 {
				t.Fatal("a consumer with a deadline held the producer up")
			}
			for seq := uint64(1); ; seq++ {
				rec, err := c.Next(within(t, 10*time.Second))
				if err == nil && rec.Sequence == seq {
					filled(t, rec)
					continue
				}
				evicted, ok := errors.AsType[*EvictedError](err)
				if !ok || !strings.Contains(evicted.Reason, "deadline=50ms") {
					t.Errorf("got %v after record %d", err, seq-1)
				}
				break
			}
			if _, err := c.Next(t.Context()); !errors.Is(err, ErrEvicted) {
				t.Errorf("got %v", err)
			}
			if st, err := p.Stats(); err != nil || st.Producer.Evictions != 1 {
				t.Errorf("%+v, %v", st.Producer, err)
			}
		})
	}
}

func TestSocketStartsAndTypes(t *testing.T) {
	for medium, url := range sockets(t) {
		t.Run(medium, func(t *testing.T) {
			p, err := Create(url, ProducerConfig{Capacity: 4 << 10, Checksum: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = p.Close() }) // after the consumers
			for i := range 200 {
				publish(t, p, strings.Repeat("x", i%10))
			}
			open := func(cfg ConsumerConfig) Consumer {
				c, err := Open(within(t, 10*time.Second), url, cfg)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = c.Close() })
				return c
			}
			latest, oldest, early, late := open(ConsumerConfig{}), open(ConsumerConfig{From: Oldest}), open(ConsumerConfig{From: Sequence(2)}), open(ConsumerConfig{From: Sequence(203)})
			typed := open(ConsumerConfig{Types: []uint16{3}})
			for range 3 {
				publish(t, p, "abc", "ab")
			}
			if latest.Sequence() != 201 || late.Sequence() != 203 || oldest.Sequence() < 20 {
				t.Errorf("latest begins at %d, late at %d, oldest at %d", latest.Sequence(), late.Sequence(), oldest.Sequence())
			}
			expect(t, latest, "abc", "ab", "abc", "ab", "abc", "ab")
			expect(t, late, "abc", "ab", "abc", "ab")
			expect(t, typed, "abc", "abc", "abc")
			_, err = early.Next(within(t, 10*time.Second))
			if over, ok := errors.AsType[*OverrunError](err); !ok || over.From != 2 || over.To+1 != oldest.Sequence() {
				t.Errorf("from record 2: %v; the oldest is %d", err, oldest.Sequence())
			}
		})
	}
}

// A consumer that waits with nearly all of the ring in its hands would wait for
// ever.
func TestSocketUnreleased(t *testing.T) {
	t.Parallel()
	url := sockets(t)["unix"]
	p, c := pairOf(t, url, ProducerConfig{Capacity: 64 << 10}, ConsumerConfig{})
	n := fill(t, p, within(t, 50*time.Millisecond), 1000)
	for range n {
		if _, err := c.Next(within(t, 10*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Next(t.Context()); !errors.Is(err, ErrUnreleased) {
		t.Errorf("got %v", err)
	}
	if err := c.Release(); err != nil {
		t.Fatal(err)
	}
	publish(t, p, "more")
	expect(t, c, "more")
}

// Clients that say nothing, or nonsense, or too much of it, keep nobody out.
func TestHostileClients(t *testing.T) {
	t.Parallel()
	for medium, url := range sockets(t) {
		t.Run(medium, func(t *testing.T) {
			t.Parallel()
			p, err := Create(url, ProducerConfig{Slots: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			_, address, _ := strings.Cut(url, "://")
			var silent []net.Conn
			defer func() {
				for _, c := range silent {
					c.Close()
				}
			}()
			for range deskPlaces + 40 {
				c, err := net.Dial(medium, address)
				if err != nil {
					t.Fatal(err)
				}
				silent = append(silent, c)
			}
			good := newHello(wishStream, ConsumerConfig{}).bytes()
			for _, said := range [][][]byte{
				{[]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + strings.Repeat("x", 200))},
				{good[:50]},
				{hello{version: 77, wish: wishStream}.bytes()},
				{good, ack{1 << 40, 1 << 40}.append(nil)},
			} {
				c, err := net.Dial(medium, address)
				if err != nil {
					t.Fatal(err)
				}
				for _, b := range said {
					_, _ = c.Write(b)
				}
				silent = append(silent, c)
			}
			c, err := Open(within(t, 10*time.Second), url, ConsumerConfig{})
			for end := time.Now().Add(10 * time.Second); errors.Is(err, ErrNoSlot) && time.Now().Before(end); { // the last of them had the place for a moment
				c, err = Open(within(t, 10*time.Second), url, ConsumerConfig{})
			}
			if err != nil {
				t.Fatal(err)
			}
			publish(t, p, "fine")
			expect(t, c, "fine")
			// They are shown out in time.
			_ = silent[len(silent)-3].SetReadDeadline(time.Now().Add(5 * time.Second))
			if _, err := silent[len(silent)-3].Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("half a hello: got %v", err)
			}
			closed(t, c)
		})
	}
}

// A server that accepts and never answers, or answers nonsense, holds nobody up
// beyond the end of a context.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nonsense := make(chan bool, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			select {
			case <-nonsense:
				_, _ = c.Write(bytes.Repeat([]byte("nonsense"), 100))
			default:
			}
		}
	}()
	url := "tcp://" + l.Addr().String()
	start := time.Now()
	if _, err := Open(within(t, 50*time.Millisecond), url, ConsumerConfig{}); !errors.Is(err, ErrNoProducer) || time.Since(start) > 4*time.Second {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
	nonsense <- true
	if _, err := Open(within(t, 5*time.Second), url, ConsumerConfig{}); !errors.Is(err, ErrFormat) {
		t.Errorf("got %v", err)
	}
	if _, err := Create(url, ProducerConfig{}); !errors.Is(err, ErrProducerLive) {
		t.Errorf("got %v", err)
	}
}

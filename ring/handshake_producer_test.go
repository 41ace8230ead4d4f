//go:build linux && !carousel_portable

package ring

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// besieged serves a ring of two slots to hostile clients. At the end both slots
// have to be free again, an honest consumer has to be served, and nothing may be
// left.
func besieged(t *testing.T) (path string, r *Ring, p *Producer) {
	t.Helper()
	const slots = 2
	path = socketPath(t)
	r, p = listen(t, path, ServeConfig{Config: Config{Capacity: MinCapacity, Slots: slots}})
	before := taken(t)
	before.mappings += 3 * slots // the last page of each slot stays mapped in each of three views
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		var rings []*Ring
		for range slots {
			// t.Context has ended by now.
			var d *Ring
			waitFor(t, "a free slot", func() bool { var err error; d, err = Dial(background, path); return err == nil })
			rings = append(rings, d)
		}
		c, err := rings[0].NewConsumer(ConsumerConfig{})
		must(t, err)
		_, err = p.Write([]byte("x"))
		must(t, err)
		rec, err := c.Read(background, nil)
		if err != nil || string(rec.Payload()) != "x" {
			t.Errorf("an honest consumer: %v", err)
		}
		must(t, c.Close())
		for _, d := range rings {
			must(t, d.Close())
		}
		returns(t, before)
	})
	return path, r, p
}

// A hello that breaks off is answered with nothing: at once when the client
// hangs up, and when it does not, or says a byte now and then, after a second.
func TestHelloCut(t *testing.T) {
	path, _, _ := besieged(t)
	for n := range helloSize {
		c := visit(t, path, goodHello[:n])
		must(t, c.CloseWrite())
		if said, fds := heard(t, c, 500*time.Millisecond); len(said) > 0 || fds > 0 {
			t.Errorf("after %d bytes and the end: said %q", n, said)
		}
		c.Close()
		visit(t, path, goodHello[:n]).Close()
	}
	var wg sync.WaitGroup
	lasted := make([]time.Duration, helloSize+1)
	for n := range lasted {
		wg.Go(func() {
			start := time.Now()
			c := visit(t, path, nil)
			defer c.Close()
			if n == helloSize { // a byte now and then
				go func() {
					for _, b := range goodHello {
						if _, err := c.Write([]byte{b}); err != nil {
							return
						}
						time.Sleep(50 * time.Millisecond)
					}
				}()
			} else if _, err := c.Write(goodHello[:n]); err != nil {
				t.Error(err)
			}
			if said, fds := heard(t, c, 3*handshakeLimit); len(said) > 0 || fds > 0 {
				t.Errorf("after %d bytes: said %q", n, said)
			}
			lasted[n] = time.Since(start)
		})
	}
	wg.Wait()
	median, p99, worst := quantiles(lasted)
	t.Logf("%d clients that stall: out after %v (median), %v (p99), %v (worst)", len(lasted), median, p99, worst)
	if lasted[0] < handshakeLimit*9/10 {
		t.Errorf("out after %v, want %v", lasted[0], handshakeLimit)
	}
}

// Of all hellos with one bit changed those are granted in which the bit means
// nothing to this version.
func TestHelloFlipped(t *testing.T) {
	path, _, _ := besieged(t)
	for bit := range helloSize * 8 {
		c := visit(t, path, flipped(goodHello, bit))
		must(t, c.CloseWrite())
		want, files := int(codeVersion), 0
		switch {
		case bit < 64: // magic
			want = -1
		case bit >= 160: // what may be ignored
			want, files = int(codeOK), 2
		}
		said, fds := heard(t, c, 3*time.Second)
		if codeOf(said) != want || fds != files {
			t.Errorf("bit %d: code %d, %d descriptors, want %d, %d", bit, codeOf(said), fds, want, files)
		}
		c.Close()
	}
}

func TestHelloIsGarbage(t *testing.T) {
	path, _, _ := besieged(t)
	rng := rand.New(rand.NewPCG(1, 3))
	for i := range 300 {
		msg := make([]byte, rng.IntN(3*helloSize))
		for j := range msg {
			msg[j] = byte(rng.Uint32())
		}
		if i%2 == 0 { // the beginning is right
			copy(msg, goodHello[:rng.IntN(12)])
		}
		c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
		must(t, err)
		_, _ = c.Write(msg)
		_ = c.CloseWrite()
		if said, fds := heard(t, c, 3*time.Second); codeOf(said) == int(codeOK) || fds > 0 {
			t.Errorf("granted %d descriptors for %q", fds, msg)
		}
		c.Close()
	}
}

// After the offer of a place a connection carries one byte, j. Whatever else
// comes ends it.
func TestBytesAroundTheOffer(t *testing.T) {
	path, r, p := besieged(t)
	joined := func(msg []byte) (J int, code int) {
		t.Helper()
		c := visit(t, path, msg)
		defer c.Close()
		said, _ := heard(t, c, 3*time.Second)
		return strings.Count(string(said[min(len(said), replySize):]), string(sayJoined)), codeOf(said)
	}
	place := string(goodHello)
	for b := range 256 {
		if b == sayJoin {
			continue
		}
		if n, code := joined(append([]byte(place), byte(b))); n != 0 || code != int(codeOK) {
			t.Errorf("byte %d behind a hello: code %d, %d times joined", b, code, n)
		}
	}
	for _, tc := range []struct {
		name, msg    string
		joined, code int
	}{
		{"join twice", place + "jj", 1, int(codeOK)},
		{"join and more", place + "j" + strings.Repeat("j", 5000), 1, int(codeOK)},
		{"another hello", place + place, 0, int(codeOK)},
		{"join before the hello", "j" + place, 0, -1},
	} {
		if n, code := joined([]byte(tc.msg)); n > tc.joined || code != tc.code {
			t.Errorf("%s: code %d, %d times joined, want %d, %d", tc.name, code, n, tc.code, tc.joined)
		}
	}
	// Hung up with the offer unread: the kernel calls that a reset.
	for range 50 {
		visit(t, path, goodHello).Close()
	}
	// Who has a place and does not join is nobody to wait for.
	c := visit(t, path, goodHello)
	for range 1000 {
		_, err := p.TryReserve(100)
		must(t, err)
		must(t, p.Commit())
	}
	if s, err := r.Stats(); err != nil || len(s.Consumers) > 0 {
		t.Errorf("%+v, %v; want no consumer", s.Consumers, err)
	}
	c.Close()
}

// A client that sends descriptors gets nothing for them, and holds nobody up:
// not those who come after it, and not the producer, neither while it publishes
// nor at its end. Lingering is the worst that a descriptor can do.
func TestClientsThatSendDescriptors(t *testing.T) {
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprint("as before Linux 6.16 ", old), func(t *testing.T) {
			path, r, p := besieged(t)
			listener := r.backing.(*servedBacking).listener
			if old {
				passesRights(t, listener)
			}
			for _, n := range []int{0, 1, 2, 3, 250} {
				if n > 20 && emulated() {
					continue // the emulator forgets descriptors that it cannot hand on
				}
				fds := make([]int, n)
				for i := range fds {
					fds[i] = int(os.Stdin.Fd())
				}
				c := visit(t, path, nil)
				err := hand(c, goodHello, fds...)
				must(t, c.CloseWrite())
				said, got := heard(t, c, 3*time.Second)
				if granted := codeOf(said) == int(codeOK) && got == 2; granted != (n == 0) || err != nil && (n == 0 || old) {
					t.Errorf("%d descriptors: sent with %v, code %d, %d descriptors", n, err, codeOf(said), got)
				}
				c.Close()
			}
			var crowd []*net.UnixConn
			for i := range 40 {
				fd := lingering(t)
				c := visit(t, path, nil)
				switch i % 4 {
				case 0:
					_ = hand(c, goodHello, fd)
				case 1: // behind the offer
					_, _ = c.Write(goodHello)
					_ = hand(c, []byte("j"), fd)
				case 3: // behind what ends the connection, hence unread
					_, _ = c.Write([]byte(string(goodHello) + "?"))
					_ = hand(c, []byte("j"), fd)
				case 2: // in the middle of a hello
					_, _ = c.Write(goodHello[:7])
					_ = hand(c, goodHello[7:9], fd)
				}
				go unix.Close(fd) // it may be the last
				if i%8 < 4 {
					c.Close()
				} else {
					crowd = append(crowd, c)
				}
			}
			inTimeOf(t, "an honest consumer beside them", 3*time.Second, func() {
				for range 5 {
					d, err := Dial(background, path)
					if err != nil { // the slots may be theirs for a moment
						time.Sleep(50 * time.Millisecond)
						continue
					}
					_ = d.Close()
				}
				for range 300 {
					_, _ = p.TryReserve(100)
					_ = p.Commit()
				}
			})
			for _, c := range crowd {
				c.Close()
			}
		})
	}
}

// The end of a producer is not held up either by what clients have sent.
func TestProducerEndsBesideLingeringDescriptors(t *testing.T) {
	path := socketPath(t)
	r, p := listen(t, path, ServeConfig{Config: Config{Capacity: MinCapacity}})
	passesRights(t, r.backing.(*servedBacking).listener)
	for range 8 {
		c := visit(t, path, goodHello)
		defer c.Close()
		fd := lingering(t)
		_ = hand(c, []byte("?"), fd)
		go unix.Close(fd) // it may be the last
	}
	inTimeOf(t, "the end", 3*time.Second, func() {
		_ = p.Close()
		_ = r.Close()
	})
}

// Nor by what those have sent who were not accepted yet.
func TestListenerEndsBesideLingeringDescriptors(t *testing.T) {
	path := socketPath(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	c := visit(t, path, nil)
	defer c.Close()
	fd := lingering(t)
	must(t, hand(c, goodHello, fd))
	must(t, unix.Close(fd)) // the other one is in the socket
	inTimeOf(t, "the end", 3*time.Second, func() { _ = closeListener(l) })
	if _, err := net.Dial("unix", path); err == nil {
		t.Error("somebody listens")
	}
}

// clients is how many stall at once: CAROUSEL_CLIENTS of a long run, or few.
func clients(t *testing.T) (n int, long bool) {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("CAROUSEL_CLIENTS"))
	if os.Getenv("CAROUSEL_CLIENTS") == "" {
		return 3 * deskPlaces, false
	}
	if err != nil || n < 1 {
		t.Fatalf("CAROUSEL_CLIENTS is %q, want a number", os.Getenv("CAROUSEL_CLIENTS"))
	}
	var limit unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	if want := uint64(n + 2*deskPlaces + 100); limit.Cur < want {
		t.Fatalf("CAROUSEL_CLIENTS=%d needs %d descriptors, found a limit of %d", n, want, limit.Cur)
	}
	return n, true
}

// Clients connect, more and more of them, and say nothing, or half a hello,
// while honest ones come and go. In the end all that stall are out.
func TestStalledClientsHoldUpNobody(t *testing.T) {
	n, long := clients(t)
	path, _, _ := besieged(t)
	var wg sync.WaitGroup
	var stalled []*net.UnixConn
	all := make(chan struct{})
	wg.Go(func() {
		defer close(all)
		for i := range n {
			c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
			for ; err != nil && strings.Contains(err.Error(), "temporarily"); c, err = net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"}) {
				time.Sleep(time.Millisecond) // the queue is full
			}
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = c.Write(goodHello[:i%helloSize])
			stalled = append(stalled, c)
			if i%50 == 49 {
				time.Sleep(5 * time.Millisecond)
			}
		}
	})
	// An honest client is accepted and answered, and another dials.
	var answered, dialed []time.Duration
	question := hello{version: 9, wish: wishPlace}.bytes()
	for done := false; !done || len(dialed) < 100; time.Sleep(time.Millisecond) {
		select {
		case <-all:
			done = true
		default:
		}
		start := time.Now()
		c := visit(t, path, question)
		must(t, c.SetReadDeadline(start.Add(5*time.Second)))
		if _, err := io.ReadFull(c, make([]byte, replySize)); err != nil {
			t.Fatalf("an honest question beside %d that stall: %v", n, err)
		}
		answered = append(answered, time.Since(start))
		c.Close()
		start = time.Now()
		d, err := Dial(soon(t, 5*time.Second), path)
		if err != nil {
			t.Fatalf("an honest dial beside %d that stall: %v", n, err)
		}
		dialed = append(dialed, time.Since(start))
		must(t, d.Close())
	}
	wg.Wait()
	last := time.Now()
	am, a99, aw := quantiles(answered)
	dm, d99, dw := quantiles(dialed)
	t.Logf("%d clients stall, %d honest ones: answered after %v (median), %v (p99), %v (worst); dialed after %v, %v, %v",
		n, len(dialed), am, a99, aw, dm, d99, dw)
	if most := 10 * time.Millisecond; long && (a99 > most || d99 > most) {
		t.Errorf("answered after %v, dialed after %v (p99), want at most %v", a99, d99, most)
	}
	for _, c := range stalled {
		if said, fds := heard(t, c, time.Until(last.Add(3*handshakeLimit))); len(said) > 0 || fds > 0 {
			t.Errorf("said %q to who says nothing", said)
		}
		c.Close()
	}
	t.Logf("all that stall are out %v after the last came", time.Since(last))
}

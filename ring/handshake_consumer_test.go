//go:build linux && !carousel_portable

package ring

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/internal/leak"
	"github.com/carousel-ipc/carousel/shm"
)

// A forger has what a hostile producer of a small ring would hand over, all of
// it good to begin with.
type forger struct {
	t           *testing.T
	id          creationID
	size        uint64
	good, place int // descriptors
	offer       reply
}

func newForger(t *testing.T) *forger {
	f := &forger{t: t, id: newID()}
	f.size = f.geometry().broadcastSize()
	f.good, f.place = f.memory(int64(f.size), sealedForReaders, true), f.memory(page, sealedForWriters, false)
	f.offer = reply{size: f.size, id: f.id}
	return f
}

func (f *forger) geometry() geometry {
	geo, err := Config{Capacity: MinCapacity, Slots: 2}.geometry()
	must(f.t, err)
	return geo
}

const (
	sealedForWriters = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW
	sealedForReaders = sealedForWriters | unix.F_SEAL_FUTURE_WRITE
)

// keep closes fd at the end.
func (f *forger) keep(fd int, err error) int {
	f.t.Helper()
	must(f.t, err)
	f.t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

// memory makes a memfd, with a segment in it if that is wanted.
func (f *forger) memory(size int64, seals int, formatted bool) int {
	f.t.Helper()
	fd := f.keep(unix.MemfdCreate("carousel-hostile", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING))
	must(f.t, unix.Ftruncate(fd, size))
	if formatted {
		mem := make([]byte, f.size)
		formatBroadcast(segmentOf(mem), f.geometry(), f.id, point{seq: 1})
		_, err := unix.Pwrite(fd, mem, 0)
		must(f.t, err)
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	must(f.t, err)
	return fd
}

// ways are how a consumer comes to a producer: each has serve run at the other
// end.
var ways = map[string]func(t *testing.T, ctx context.Context, serve func(*net.UnixConn)) (*Ring, error){
	"dial": func(t *testing.T, ctx context.Context, serve func(*net.UnixConn)) (*Ring, error) {
		return Dial(ctx, forged(t, serve))
	},
	"inherit": func(t *testing.T, ctx context.Context, serve func(*net.UnixConn)) (*Ring, error) {
		c, theirs, err := shm.Pair()
		must(t, err)
		go func() { defer c.Close(); _, _ = readHello(c); serve(c) }()
		return Inherit(ctx, theirs)
	},
}

// forged is the socket of a producer that reads each hello and then does what
// serve does.
func forged(t *testing.T, serve func(*net.UnixConn)) (path string) {
	path = socketPath(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _, _ = readHello(c); serve(c) }()
		}
	}()
	return path
}

// refused expects an error that is one of a kind and says something, and that
// nothing is left.
func refused(t *testing.T, serve func(*net.UnixConn), is error, says string) {
	t.Helper()
	for name, come := range ways {
		before := taken(t)
		if name == "dial" {
			before.descriptors++ // its listener,
			before.goroutines++  // and who accepts there
		}
		r, err := come(t, soon(t, 5*time.Second), serve)
		if err == nil {
			r.Close()
		}
		if !errors.Is(err, is) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want %v that says %q", name, err, is, says)
		}
		returns(t, before)
	}
}

// What a hostile producer offers is refused by name, and not kept open.
func TestHostileOffers(t *testing.T) {
	f := newForger(t)
	memory := func(size uint64, seals int) int { return f.memory(int64(size), seals, size >= f.size) }
	offer := f.offer.bytes()
	sized := func(n uint64) []byte { return reply{size: n, id: f.id}.bytes() }
	refusal := func(k code) []byte { return reply{code: k, text: "no\x1b[2J"}.bytes() }
	for _, tc := range []struct {
		name, says string
		msg        []byte
		fds        []int
		is         error
	}{
		{"no seals", "wanted seals SEAL|SHRINK|GROW|FUTURE_WRITE, found none", offer, []int{memory(f.size, 0), f.place}, ErrFormat},
		{"slot's seals", "found SEAL|SHRINK|GROW", offer, []int{memory(f.size, sealedForWriters), f.place}, ErrFormat},
		{"slot unsealed", "slot: ", offer, []int{f.good, memory(page, 0)}, ErrFormat},
		{"another size", fmt.Sprintf("wanted a file of %d bytes, found %d bytes", f.size, 2*f.size), offer, []int{memory(2*f.size, sealedForReaders), f.place}, ErrFormat},
		{"size that is not the header's", "want", sized(2 * f.size), []int{memory(2*f.size, sealedForReaders), f.place}, ErrFormat},
		{"slot of another size", "wanted a file of 4096 bytes, found 8192 bytes", offer, []int{f.good, memory(2*page, sealedForWriters)}, ErrFormat},
		{"slot of no size", "wanted a file of 4096 bytes, found 0 bytes", offer, []int{f.good, memory(0, sealedForWriters)}, ErrFormat},
		{"empty", "magic", sized(page), []int{memory(page, sealedForReaders), f.place}, ErrFormat},
		{"less than a header", "", sized(100), []int{memory(100, sealedForReaders), f.place}, ErrFormat},
		{"nothing at all", "", sized(0), []int{memory(0, sealedForReaders), f.place}, ErrFormat},
		{"of 2^63 bytes", "bytes", sized(1 << 63), []int{f.good, f.place}, ErrFormat},
		{"of 2^64-1 bytes", "bytes", sized(math.MaxUint64), []int{f.good, f.place}, ErrFormat},
		{"of 2^62 bytes, and so long", "want", sized(1 << 62), []int{f.memory(1<<62, sealedForReaders, true), f.place}, ErrFormat},
		{"another ring", "creation", reply{size: f.size}.bytes(), []int{f.good, f.place}, ErrFormat},
		{"exchanged", "broadcast segment: ", offer, []int{f.place, f.good}, ErrFormat},
		{"the ring twice", "slot: ", offer, []int{f.good, f.good}, ErrFormat},
		{"slot out of range", "slot 2, want one of 2", reply{size: f.size, id: f.id, slot: 2}.bytes(), []int{f.good, f.place}, ErrFormat},
		{"slot 2^32-1", "want one of 2", reply{size: f.size, id: f.id, slot: math.MaxUint32}.bytes(), []int{f.good, f.place}, ErrFormat},
		{"one descriptor", "wanted 2 descriptors, found 1", offer, []int{f.good}, shm.ErrSeals},
		{"three descriptors", "wanted 2 descriptors, found 3", offer, []int{f.good, f.place, f.place}, shm.ErrSeals},
		{"250 descriptors", "wanted 2 descriptors, found 250", offer, repeat(f.place, 250), shm.ErrSeals},
		{"no descriptor", "0 descriptors with the offer, want 2", offer, nil, ErrFormat},
		{"descriptors with a refusal", "refused", refusal(codeUser), []int{f.good, f.place}, ErrRefused},
		{"control characters", "no?[2J", refusal(codeNoSlot), nil, ErrNoSlot},
		{"unknown code", "code 99", refusal(99), nil, ErrRefused},
		{"another magic", "magic", []byte(strings.Repeat("x", replySize)), []int{f.good, f.place}, ErrFormat},
		{"nothing", "died", nil, nil, ErrProducerDied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if len(tc.fds) > 20 && emulated() {
				t.Skip("SKIP: the emulator forgets descriptors that it cannot hand on")
			}
			refused(t, func(c *net.UnixConn) {
				if tc.msg != nil {
					_ = hand(c, tc.msg, tc.fds...)
				}
			}, tc.is, tc.says)
		})
	}
}

func repeat(fd, n int) (fds []int) {
	for range n {
		fds = append(fds, fd)
	}
	return fds
}

// In place of each of the two descriptors comes what is no sealed memory.
func TestOffersOfWrongTypes(t *testing.T) {
	f := newForger(t)
	dir := t.TempDir()
	open := func(path string, flags int) int { return f.keep(unix.Open(path, flags|unix.O_CLOEXEC, 0o600)) }
	must(t, unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	regular := func(path string) int {
		fd := open(path, unix.O_RDWR|unix.O_CREAT)
		t.Cleanup(func() { _ = os.Remove(path) })
		must(t, unix.Ftruncate(fd, int64(f.size)))
		return fd
	}
	sockets, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	f.keep(sockets[0], err)
	f.keep(sockets[1], nil)
	none, found := "a memfd with seals", "found what cannot have any"
	types := []struct {
		name string
		fd   int
	}{
		{"FIFO", open(filepath.Join(dir, "fifo"), unix.O_RDWR)},
		{"directory", open(dir, unix.O_RDONLY)},
		{"file on disk", regular(filepath.Join(dir, "file"))},
		{"path", open(dir, unix.O_PATH)},
		{"/dev/zero", open("/dev/zero", unix.O_RDWR)},
		{"process", open("/proc/self/mem", unix.O_RDWR)},
		{"epoll", f.keep(unix.EpollCreate1(unix.EPOLL_CLOEXEC))},
		{"event", f.keep(unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK))},
		{"socket", sockets[0]},
	}
	for _, tc := range types {
		t.Run(tc.name, func(t *testing.T) {
			for i, fds := range [][]int{{tc.fd, f.place}, {f.good, tc.fd}} {
				for _, says := range []string{[]string{"broadcast segment", "slot"}[i], none, found} {
					refused(t, func(c *net.UnixConn) { _ = hand(c, f.offer.bytes(), fds...) }, ErrFormat, says)
				}
			}
		})
	}
	// A file in shared memory may tell seals, and has none but that none are added.
	t.Run("file in shared memory", func(t *testing.T) {
		fd := regular("/dev/shm/" + leak.Prefix() + "hostile")
		refused(t, func(c *net.UnixConn) { _ = hand(c, f.offer.bytes(), fd, f.place) }, ErrFormat, "wanted seals SEAL|SHRINK|GROW|FUTURE_WRITE, found SEAL")
		refused(t, func(c *net.UnixConn) { _ = hand(c, f.offer.bytes(), f.good, fd) }, ErrFormat, "wanted seals SEAL|SHRINK|GROW, found SEAL")
	})
	for bit := unix.F_SEAL_SEAL; bit <= unix.F_SEAL_FUTURE_WRITE; bit <<= 1 {
		t.Run(fmt.Sprintf("without seal %#x", bit), func(t *testing.T) {
			if sealedForReaders&bit != 0 {
				fd := f.memory(int64(f.size), sealedForReaders&^bit, true)
				refused(t, func(c *net.UnixConn) { _ = hand(c, f.offer.bytes(), fd, f.place) }, ErrFormat, "wanted seals SEAL|SHRINK|GROW|FUTURE_WRITE")
			}
			if sealedForWriters&bit != 0 {
				fd := f.memory(page, sealedForWriters&^bit, false)
				refused(t, func(c *net.UnixConn) { _ = hand(c, f.offer.bytes(), f.good, fd) }, ErrFormat, "wanted seals SEAL|SHRINK|GROW, found")
			}
		})
	}
}

// An offer that breaks off is told from one that is slow: the first is the
// producer's death, the second lasts until the context ends.
func TestOfferCut(t *testing.T) {
	f := newForger(t)
	offer := f.offer.bytes()
	for name, come := range ways {
		before := taken(t)
		cut := func(c *net.UnixConn, n int) {
			if n > 0 {
				_ = hand(c, offer[:n], f.good, f.place)
			}
		}
		for n := range replySize {
			if r, err := come(t, soon(t, 5*time.Second), func(c *net.UnixConn) { cut(c, n) }); !errors.Is(err, ErrProducerDied) {
				t.Errorf("%s: %d bytes and the end: got %v, %v", name, n, r, err)
			}
		}
		for n := 0; n < replySize; n += 9 {
			silent := func(c *net.UnixConn) { cut(c, n); _, _ = c.Read(make([]byte, 1)) }
			start := time.Now()
			if r, err := come(t, soon(t, 5*time.Millisecond), silent); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %d bytes and silence: got %v, %v", name, n, r, err)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("%s: %d bytes and silence: %v", name, n, took)
			}
		}
		slow := func(c *net.UnixConn) {
			cut(c, 1)
			for _, b := range offer[1:] {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		}
		if r, err := come(t, soon(t, 120*time.Millisecond), slow); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: a byte now and then: got %v, %v", name, r, err)
		}
		if name == "dial" {
			before.descriptors += replySize + 8 + 1 // listeners
			before.goroutines += replySize + 8 + 1
		}
		returns(t, before)
	}
}

// Of all offers with one bit changed those are taken that say another thing
// which may be so: other flags, another slot there is, another patience.
func TestOfferFlipped(t *testing.T) {
	f := newForger(t)
	offer := f.offer.bytes()
	before := taken(t)
	for bit := range replySize * 8 {
		msg := flipped(offer, bit)
		r, err := ways["inherit"](t, soon(t, 5*time.Second), func(c *net.UnixConn) { _ = hand(c, msg, f.good, f.place) })
		var want error
		switch at := bit / 8; {
		case at < 12, at >= 16 && at < 20, at >= 32 && at < 40, at >= 48:
			want = ErrFormat // magic, version, must-understand, size, creation
		case bit == 12*8: // codes, by their bits
			want = ErrRefused
		case bit == 12*8+1:
			want = ErrNoSlot
		case bit == 12*8+2:
			want = ErrRemoved
		case at < 16:
			want = ErrRefused
		case at >= 24 && at < 28 && bit != 24*8:
			want = ErrFormat // slot
		case at >= 28 && at < 32: // text: too long, or missing
			want = ErrProducerDied
			if bit-28*8 > 22 {
				want = ErrFormat
			}
		}
		if want == nil && err != nil || !errors.Is(err, want) {
			t.Errorf("bit %d: got %v, want %v", bit, err, want)
		}
		if err == nil {
			must(t, r.Close())
		}
	}
	returns(t, before)
}

// Statistics are a text of a producer that nobody has to trust.
func TestHostileStatistics(t *testing.T) {
	text := func(s string) func(*net.UnixConn) {
		return func(c *net.UnixConn) { _, _ = c.Write(reply{text: s}.bytes()) }
	}
	announced := func(n uint32) func(*net.UnixConn) {
		return func(c *net.UnixConn) {
			b := reply{}.bytes()
			b[28], b[29], b[30], b[31] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
			_, _ = c.Write(b)
			_, _ = c.Write([]byte("{"))
		}
	}
	f := newForger(t)
	for _, tc := range []struct {
		name, says string
		serve      func(*net.UnixConn)
		is         error
	}{
		{"no JSON", "statistics", text("Good day."), ErrFormat},
		{"nothing", "statistics", text(""), ErrFormat},
		{"of other types", "statistics", text(`{"Epoch":"x"}`), ErrFormat},
		{"numbers too large", "statistics", text(`{"Epoch":1e99}`), ErrFormat},
		{"4 MiB of brackets", "statistics", text(strings.Repeat("[", mostText)), ErrFormat},
		{"4 MiB of objects", "statistics", text(strings.Repeat(`{"Consumers":`, mostText/13)), ErrFormat},
		{"4 GiB announced", "text of 4294967295 bytes in the reply, want at most 4194304", announced(math.MaxUint32), ErrFormat},
		{"a byte too many announced", "text of 4194305 bytes", announced(mostText + 1), ErrFormat},
		{"4 MiB announced", "died", announced(mostText), ErrProducerDied},
		{"descriptors", "wanted 0 descriptors, found 2", func(c *net.UnixConn) { _ = hand(c, reply{text: "{}"}.bytes(), f.good, f.place) }, shm.ErrSeals},
		{"descriptors in the text", "wanted 0 descriptors, found 1", func(c *net.UnixConn) {
			b := reply{text: "{}"}.bytes()
			_, _ = c.Write(b[:replySize])
			_ = hand(c, b[replySize:], f.good)
		}, shm.ErrSeals},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := forged(t, tc.serve)
			before := taken(t)
			s, err := Inspect(soon(t, 5*time.Second), path)
			if !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %+v, %v, want %v that says %q", s, err, tc.is, tc.says)
			}
			returns(t, before)
		})
	}
}

// A descriptor that takes an hour to be closed holds nobody up, wherever in the
// conversation it comes, read or unread.
func TestLingeringDescriptorsHoldUpNoConsumer(t *testing.T) {
	f := newForger(t)
	offer := f.offer.bytes()
	for _, tc := range []struct {
		name  string
		serve func(c *net.UnixConn, linger int)
	}{
		{"as the ring", func(c *net.UnixConn, l int) { _ = hand(c, offer, l, f.place) }},
		{"as the slot", func(c *net.UnixConn, l int) { _ = hand(c, offer, f.good, l) }},
		{"besides", func(c *net.UnixConn, l int) { _ = hand(c, offer, f.good, f.place, l) }},
		{"with a refusal", func(c *net.UnixConn, l int) { _ = hand(c, reply{code: codeNoSlot}.bytes(), l, f.place) }},
		{"in the middle", func(c *net.UnixConn, l int) {
			_ = hand(c, offer[:9], f.good, f.place)
			_ = hand(c, offer[9:], l)
		}},
		{"behind nonsense", func(c *net.UnixConn, l int) {
			_, _ = c.Write(make([]byte, replySize))
			_ = hand(c, offer, l)
		}},
		{"behind the offer", func(c *net.UnixConn, l int) {
			_ = hand(c, offer, f.good, f.place)
			_ = hand(c, []byte{sayJoined}, l)
		}},
		{"unread", func(c *net.UnixConn, l int) {
			_ = hand(c, offer, f.good, f.place)
			_ = hand(c, []byte{sayJoined}, f.place) // ends the connection
			_ = hand(c, []byte{sayJoined}, l)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			linger := lingering(t)
			inTimeOf(t, "a consumer's life", 3*time.Second, func() {
				r, err := ways["inherit"](t, soon(t, time.Second), func(c *net.UnixConn) {
					tc.serve(c, linger)
					go unix.Close(linger) // it may be the last
				})
				if err == nil {
					_, _ = r.NewConsumer(ConsumerConfig{})
					_ = r.Close()
				}
			})
		})
	}
}

//go:build linux && !carousel_portable

package ring

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What both hostile sides of the handshake need. They speak by hand: clients in
// handshake_producer_test.go, producers in handshake_consumer_test.go.

var goodHello = hello{version: handshakeVersion, wish: wishPlace}.bytes()

// visit connects to the socket at path and says msg.
func visit(t testing.TB, path string, msg []byte) *net.UnixConn {
	t.Helper()
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	if len(msg) > 0 {
		_, err = c.Write(msg)
		must(t, err)
	}
	return c
}

// hand sends msg with descriptors of our own, of which it keeps nothing.
func hand(c *net.UnixConn, msg []byte, fds ...int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	_, _, err := c.WriteMsgUnix(msg, rights, nil)
	return err
}

// heard is what the other side says until it hangs up, and how many descriptors
// it hands over.
func heard(t testing.TB, c *net.UnixConn, within time.Duration) (said []byte, descriptors int) {
	t.Helper()
	must(t, c.SetReadDeadline(time.Now().Add(within)))
	b, oob := make([]byte, 4096), make([]byte, unix.CmsgSpace(253*4))
	for {
		n, oobn, _, _, err := c.ReadMsgUnix(b, oob)
		if oobn > 0 {
			ms, err := unix.ParseSocketControlMessage(oob[:oobn])
			must(t, err)
			for _, m := range ms {
				fds, err := unix.ParseUnixRights(&m)
				must(t, err)
				descriptors += len(fds)
				for _, fd := range fds {
					must(t, unix.Close(fd))
				}
			}
		}
		said = append(said, b[:max(n, 0)]...)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			t.Errorf("said %q and goes on after %v, want the end of the connection", said, within)
			return said, descriptors
		case n <= 0 || err != nil: // also ECONNRESET: what we said was not all read
			return said, descriptors
		}
	}
}

// codeOf is the code of a reply, and -1 if there is none.
func codeOf(said []byte) int {
	if len(said) < replySize || binary.LittleEndian.Uint64(said) != replyMagic {
		return -1
	}
	return int(binary.LittleEndian.Uint32(said[12:]))
}

// flipped is b with one bit changed.
func flipped(b []byte, bit int) []byte {
	b = bytes.Clone(b)
	b[bit/8] ^= 1 << (bit % 8)
	return b
}

// lingering is a socket whose last close takes as long as its maker likes: it
// has more to send than its peer ever reads, and waits for that. The end of
// the test ends it.
func lingering(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	must(t, unix.Connect(fd, &unix.SockaddrInet4{Port: l.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}))
	peer, err := l.Accept()
	must(t, err)
	t.Cleanup(func() { peer.Close() })
	must(t, unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: 3600}))
	for chunk := make([]byte, 1<<16); ; {
		if _, err := unix.SendmsgN(fd, chunk, nil, nil, unix.MSG_DONTWAIT); err == unix.EAGAIN {
			return fd
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// passesRights has what c accepts, or c itself, take descriptors again: kernels
// before 6.16 know no other way.
func passesRights(t testing.TB, c syscall.Conn) {
	t.Helper()
	raw, err := c.SyscallConn()
	must(t, err)
	must(t, raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSRIGHTS, 1) }))
}

// inTimeOf fails when fn takes longer than a hostile peer may make it.
func inTimeOf(t testing.TB, what string, limit time.Duration, fn func()) {
	t.Helper()
	done, start := make(chan struct{}), time.Now()
	go func() { defer close(done); fn() }()
	select {
	case <-done:
	case <-time.After(limit):
		t.Errorf("%s: not done after %v", what, time.Since(start))
	}
}

// quantiles of durations: the median, p99 and the worst.
func quantiles(d []time.Duration) (median, p99, worst time.Duration) {
	slices.Sort(d)
	return d[len(d)/2], d[len(d)*99/100], d[len(d)-1]
}

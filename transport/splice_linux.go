//go:build linux && !carousel_portable

package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// spliceRoom is what a socket needs room for, to be worth it: the kernel wakes a
// sender that has filled it when three quarters are gone, and what is left has
// to last until the sender is there.
const spliceRoom = 512 << 10

// leastPipe is what a pipe has by itself.
const leastPipe = 64 << 10

// A splicer gives a socket bytes where they lie: through a pipe, by reference
// to their pages. The reader is the first to copy them, so they have to stay as
// they are until it has said that it did.
type splicer struct {
	in, out int // the pipe
	held    int // bytes in it: the first of what is sent next
}

// newSplicer makes one for a socket, which it gives the room.
func newSplicer(c conn) (*splicer, error) {
	p, err := openSplicer()
	if err != nil {
		return nil, err
	}
	if err := makeRoom(c); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func openSplicer() (*splicer, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, err
	}
	p := &splicer{in: fds[1], out: fds[0]}
	wide, err := unix.FcntlInt(uintptr(p.in), unix.F_SETPIPE_SZ, widePipe)
	if err != nil { // who has many pipes gets narrow ones
		wide, err = unix.FcntlInt(uintptr(p.in), unix.F_GETPIPE_SZ, 0)
	}
	if err == nil && wide < leastPipe {
		err = fmt.Errorf("splice: wanted a pipe of %d bytes, found %d", leastPipe, wide)
	}
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func makeRoom(c conn) error {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return fmt.Errorf("splice to %T: %w", c, errors.ErrUnsupported)
	}
	if err := u.SetWriteBuffer(spliceRoom); err != nil {
		return err
	}
	return control(u, func(fd int) error {
		granted, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
		if err == nil && granted < 2*spliceRoom { // the kernel doubles it, for what it needs itself
			_ = u.SetWriteBuffer(wideSocket)
			err = fmt.Errorf("splice: wanted a socket buffer of %d bytes, found %d", 2*spliceRoom, granted)
		}
		return err
	})
}

// put sends b, which begins with what is held: all of it, or without waiting
// what there is room for. After an error b[n:] was not sent, and p is to be
// closed.
func (p *splicer) put(raw syscall.RawConn, b []byte, wait bool) (n int, err error) {
	rerr := raw.Write(func(fd uintptr) bool {
		var m int
		m, err = p.move(int(fd), b[n:])
		n += m
		return !wait || err != unix.EAGAIN
	})
	if err == unix.EAGAIN {
		err = nil
	}
	return n, errors.Join(rerr, err)
}

// move sends until the socket is full: EAGAIN.
func (p *splicer) move(socket int, b []byte) (sent int, err error) {
	for sent < len(b) {
		if p.held == 0 {
			if err := p.hold(b[sent:]); err != nil {
				return sent, err
			}
		}
		n, err := unix.Splice(p.out, nil, socket, nil, p.held, unix.SPLICE_F_NONBLOCK)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return sent, err
		case n == 0:
			return sent, io.ErrShortWrite
		}
		sent += int(n)
		p.held -= int(n)
	}
	return sent, nil
}

// hold fills the pipe, which is empty.
func (p *splicer) hold(b []byte) error {
	v := unix.Iovec{Base: &b[0]}
	v.SetLen(len(b))
	for {
		n, err := unix.Vmsplice(p.in, []unix.Iovec{v}, unix.SPLICE_F_NONBLOCK)
		switch {
		case err == unix.EINTR:
			continue
		case err == nil && n <= 0:
			err = io.ErrShortWrite
		case err == unix.EAGAIN: // not the socket's, whose room is waited for
			err = errors.New("vmsplice: no room in an empty pipe")
		}
		p.held = max(n, 0)
		return err
	}
}

func (p *splicer) close() error { return errors.Join(unix.Close(p.in), unix.Close(p.out)) }

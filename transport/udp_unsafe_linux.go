//go:build linux && !carousel_portable

package transport

import (
	"errors"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Many datagrams in one system call each way, by sendmmsg and recvmmsg, waiting
// by the runtime's poller.

// batchDatagrams is how many at a time.
const batchDatagrams = 64

// mmsghdr is the kernel's: padded to the alignment of Msghdr, as there.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// datagramSender and datagramReceiver keep what the kernel reads on the heap.
type datagramSender struct {
	conn *net.UDPConn
	c    syscall.RawConn
	msgs [batchDatagrams]mmsghdr
	iovs [batchDatagrams][2]unix.Iovec
}

func newDatagramSender(conn *net.UDPConn) (*datagramSender, error) {
	c, err := conn.SyscallConn()
	return &datagramSender{conn: conn, c: c}, err
}

// send sends up to n datagrams and returns how many. That nobody listens, which
// the machine there may have said of an earlier one, is no error.
func (s *datagramSender) send(n int, datagram func(i int) (head, body []byte)) (sent int, err error) {
	n = min(n, batchDatagrams)
	for i := range n {
		head, body := datagram(i)
		s.iovs[i] = [2]unix.Iovec{iovec(head), iovec(body)}
		s.msgs[i] = mmsghdr{}
		s.msgs[i].hdr.Iov = &s.iovs[i][0]
		s.msgs[i].hdr.SetIovlen(2)
	}
	for tries := 0; ; tries++ {
		cerr := s.c.Write(func(fd uintptr) bool {
			sent, err = mmsg(unix.SYS_SENDMMSG, fd, s.msgs[:n])
			return err != unix.EAGAIN && err != unix.ENOBUFS
		})
		if cerr != nil {
			return 0, cerr
		}
		if err == unix.ECONNREFUSED && tries < 2 || err == unix.EINTR {
			continue // what was said of another; say this one
		}
		if err == unix.ECONNREFUSED {
			return 1, nil
		}
		return sent, err
	}
}

func (s *datagramSender) close() error { return s.conn.Close() }

func iovec(b []byte) unix.Iovec {
	v := unix.Iovec{Base: unsafe.SliceData(b)}
	v.SetLen(len(b))
	return v
}

func mmsg(trap, fd uintptr, msgs []mmsghdr) (int, error) {
	n, _, errno := unix.RawSyscall6(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(msgs))), uintptr(len(msgs)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// datagramReceiver hands out what it received until release.
type datagramReceiver struct {
	alarm
	conn  *net.UDPConn
	c     syscall.RawConn
	slab  []byte // of batchDatagrams places, the first taken of which are in use
	taken int
	old   [][]byte // slabs in use, besides that
	spare []byte
	msgs  [batchDatagrams]mmsghdr
	iovs  [batchDatagrams]unix.Iovec
	out   [batchDatagrams][]byte
}

// place is more than a datagram has.
const place = 64 << 10

func newDatagramReceiver(conn *net.UDPConn) (*datagramReceiver, error) {
	c, err := conn.SyscallConn()
	r := &datagramReceiver{conn: conn, c: c}
	r.alarm.of = conn
	return r, err
}

// receive returns what has come: at least one datagram, or, without wait,
// ErrEmpty. What it returned last has been looked at by now.
func (r *datagramReceiver) receive(wait bool) ([][]byte, error) {
	if r.taken == batchDatagrams || r.slab == nil {
		r.turn()
	}
	n := batchDatagrams - r.taken
	for i := range n {
		at := (r.taken + i) * place
		r.iovs[i] = iovec(r.slab[at : at+place])
		r.msgs[i] = mmsghdr{}
		r.msgs[i].hdr.Iov = &r.iovs[i]
		r.msgs[i].hdr.SetIovlen(1)
	}
	var got int
	var err error
	try := func(fd uintptr) { got, err = mmsg(unix.SYS_RECVMMSG, fd, r.msgs[:n]) }
	var cerr error
	if wait {
		cerr = r.c.Read(func(fd uintptr) bool {
			try(fd)
			return err != unix.EAGAIN
		})
	} else {
		cerr = r.c.Control(try)
	}
	switch {
	case cerr != nil:
		return nil, cerr
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return nil, ErrEmpty
	case err != nil:
		return nil, err
	}
	for i := range got {
		at := (r.taken + i) * place
		end := at + int(r.msgs[i].n)
		r.out[i] = r.slab[at:end:end]
	}
	r.taken += got
	return r.out[:got], nil
}

// turn goes on in another slab.
func (r *datagramReceiver) turn() {
	if r.slab != nil {
		r.old = append(r.old, r.slab)
	}
	r.slab, r.taken = r.spare, 0
	if r.spare = nil; r.slab == nil { // pages that are never touched cost nothing
		r.slab = make([]byte, batchDatagrams*place)
	}
}

// release: nothing that was returned is in use any more, or, with some, nothing
// but what the last receive returned.
func (r *datagramReceiver) release(some bool) {
	if !some {
		r.taken = 0
	}
	if len(r.old) > 0 {
		r.spare = r.old[0]
		r.old = r.old[:0]
	}
}

func (r *datagramReceiver) close() error { return r.conn.Close() }

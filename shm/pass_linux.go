//go:build linux && !carousel_portable

package shm

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Pair makes two ends of a connection that has no name, the second as a file
// for another process to inherit. Both are closed on exec.
func Pair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("shm: %w", os.NewSyscallError("socketpair", err))
	}
	near, far := os.NewFile(uintptr(fds[0]), "near end"), os.NewFile(uintptr(fds[1]), "far end")
	c, err := net.FileConn(near)
	if err := errors.Join(err, near.Close()); err != nil {
		return nil, nil, errors.Join(err, far.Close())
	}
	return c.(*net.UnixConn), far, nil
}

// Send writes msg, of a page at most, and hands the files over with it.
func Send(c *net.UnixConn, msg []byte, files ...*File) error {
	fds := make([]int, 0, len(files))
	for _, f := range files {
		if err := control(f.file, func(fd int) error {
			// A copy, that nobody closes before it is sent.
			fd, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
			if err == nil {
				fds = append(fds, fd)
			}
			return err
		}); err != nil { // the file may have been closed meanwhile, too
			closeAll(fds)
			return fmt.Errorf("shm: hand over %s: %w", f.path, err)
		}
	}
	defer closeAll(fds)
	n, _, err := c.WriteMsgUnix(msg, unix.UnixRights(fds...), nil)
	if err == nil && n < len(msg) {
		err = fmt.Errorf("wanted %d bytes to be written, found %d", len(msg), n)
	}
	if err != nil {
		return fmt.Errorf("shm: hand over %d descriptors: %w", len(fds), err)
	}
	return nil
}

// mostPassed is how many descriptors the kernel hands over at once. There is
// always room for all: what has none the kernel closes during the read, and
// that may take as long as the sender likes.
const mostPassed = 253

// Receive reads into b and takes the descriptors that come with the first
// byte of it: want of them, or none where the sender hands over none. With any
// other number all are closed, and the error wraps [ErrSeals]. They are closed
// on exec. Whatever was sent, a read takes no longer than the bytes of it: who
// reads nothing but by Receive cannot be held up by descriptors.
func Receive(c *net.UnixConn, b []byte, want int) (n int, files []*os.File, err error) {
	oob := make([]byte, unix.CmsgSpace(mostPassed*4))
	n, oobn, flags, _, err := c.ReadMsgUnix(b, oob)
	if err != nil {
		return 0, nil, err
	}
	fds, err := descriptors(oob[:oobn])
	switch {
	case err != nil:
	case flags&unix.MSG_CTRUNC != 0: // no more can be open here
		err = wrongMemory(fmt.Sprintf("%d descriptors", want), fmt.Sprintf("more than %d", len(fds)))
	case len(fds) != want && len(fds) != 0:
		err = wrongMemory(fmt.Sprintf("%d descriptors", want), fmt.Sprint(len(fds)))
	}
	for _, fd := range fds {
		files = append(files, os.NewFile(uintptr(fd), "received memory"))
	}
	if err != nil {
		Discard(files...)
		return n, nil, err
	}
	return n, files, nil
}

// discardPatience is how long Discard waits.
const discardPatience = 50 * time.Millisecond

// Discard closes files that somebody else made, and waits for it a moment at
// most: the last close of a socket that lingers, or of a file in a file system
// of its giver's, takes as long as that one likes.
func Discard(files ...*os.File) {
	if len(files) == 0 {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, f := range files {
			_ = control(f, func(fd int) error {
				return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{})
			})
			_ = f.Close()
		}
	}()
	select {
	case <-done:
	case <-time.After(discardPatience):
	}
}

// TakeNothing has the kernel refuse descriptors that anybody sends to c, or to
// what c accepts: EPERM for the sender. Kernels before 6.16 cannot, nor do all
// sandboxes; there they come, and [Receive] has to close them.
func TakeNothing(c syscall.Conn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return // closed: nothing comes
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSRIGHTS, 0)
	})
}

func descriptors(oob []byte) (fds []int, err error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if m.Header.Level != unix.SOL_SOCKET || m.Header.Type != unix.SCM_RIGHTS {
			continue
		}
		more, err := unix.ParseUnixRights(&m)
		if err != nil {
			return fds, err
		}
		fds = append(fds, more...)
	}
	return fds, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}

// PeerUser is the effective user id of whoever made the other end of c, at
// the moment of connecting or listening. The kernel vouches for it.
func PeerUser(c *net.UnixConn) (uint32, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return 0, err
	}
	if failed != nil {
		return 0, fmt.Errorf("shm: ask who is at the other end: %w", os.NewSyscallError("getsockopt", failed))
	}
	return cred.Uid, nil
}

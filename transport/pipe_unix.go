//go:build unix

package transport

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// taken is a file that somebody else opened, made fit for the runtime's poller.
type taken struct {
	*os.File
	from    *os.File
	blocked bool // it was, and whoever shares it may rely on that
}

// takeFile takes f over: through a descriptor of its own, since the runtime
// polls only what did not block when it was first seen, and ends the process
// when nobody reads the one called standard output.
func takeFile(f *os.File) (*taken, error) {
	t := &taken{from: f}
	err := control(f, func(fd int) error {
		mode, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if err != nil {
			return err
		}
		own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return err
		}
		if t.blocked = mode&unix.O_NONBLOCK == 0; t.blocked {
			if err := unix.SetNonblock(own, true); err != nil {
				return errors.Join(err, unix.Close(own))
			}
		}
		t.File = os.NewFile(uintptr(own), f.Name())
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Close closes the file that was taken over, too: the other side waits for the
// last descriptor.
func (t *taken) Close() error {
	if t.blocked {
		_ = control(t.from, func(fd int) error { return unix.SetNonblock(fd, false) })
	}
	err := t.File.Close()
	if errors.Is(err, os.ErrClosed) {
		return err
	}
	return errors.Join(err, t.from.Close())
}

func control(f interface {
	SyscallConn() (syscall.RawConn, error)
}, fn func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if cerr := raw.Control(func(fd uintptr) { err = fn(int(fd)) }); cerr != nil {
		return cerr
	}
	return err
}

// watchReader calls gone when nobody has the reading end of out open any more,
// where the system tells; it ends with out. A write would find out, but there
// may be nothing to write.
func watchReader(out conn, gone func()) {
	raw, err := out.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Read(func(fd uintptr) bool {
		look := []unix.PollFd{{Fd: int32(fd)}}
		if n, err := unix.Poll(look, 0); n > 0 && err == nil && look[0].Revents&unix.POLLERR != 0 {
			gone()
			return true
		}
		return false // the error is an event
	})
}

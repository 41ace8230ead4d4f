package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
)

// streamEnd carries messages over a stream of bytes.
type streamEnd struct {
	out io.WriteCloser
	in  *bufio.Reader
}

func newStreamEnd(out io.WriteCloser, in io.Reader) end {
	return streamEnd{out, bufio.NewReaderSize(in, 64<<10)}
}

func (e streamEnd) send(from, to uint64) error {
	b := make([]byte, messageSize)
	for n := from; n < to; n++ {
		fill(b, n)
		if _, err := e.out.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func (e streamEnd) receive(from, to uint64) (uint64, error) {
	b := make([]byte, messageSize)
	for n := from; n < to; n++ {
		if _, err := io.ReadFull(e.in, b); err != nil {
			return n, err // io.EOF between two messages only
		}
		if !holds(b, n) {
			return n, errWrong(n)
		}
	}
	return to, nil
}

func (e streamEnd) close() error { return e.out.Close() }

// pipe is two pipes, one for each direction.
func pipe() contestant {
	return contestant{name: "pipe", plain: true, lay: layPipes, join: joinPipes}
}

func layPipes(l *link) error {
	for side := range 2 {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		l.files[side] = append(l.files[side], w)
		l.files[1-side] = append(l.files[1-side], r)
	}
	return nil
}

func joinPipes(j job) (end, error) {
	// Side 0 inherited the write end of its own pipe first, side 1 last.
	out, in := os.NewFile(uintptr(firstFile+j.Side), "out"), os.NewFile(uintptr(firstFile+1-j.Side), "in")
	if out == nil || in == nil {
		return nil, errors.New("no pipes inherited")
	}
	return newStreamEnd(out, in), nil
}

// unixSocket is a connection of a Unix stream socket.
func unixSocket() contestant {
	return contestant{name: "unix socket", plain: true, lay: layUnix, join: joinUnix}
}

func layUnix(l *link) error {
	dir, err := os.MkdirTemp("", "carousel-bench-")
	if err != nil {
		return err
	}
	// The name is needed for the moment of connecting only.
	defer os.RemoveAll(dir)
	lis, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"})
	if err != nil {
		return err
	}
	defer lis.Close()
	// Into the backlog, so that Accept does not wait.
	dialed, err := net.DialUnix("unix", nil, lis.Addr().(*net.UnixAddr))
	if err != nil {
		return err
	}
	defer dialed.Close()
	accepted, err := lis.AcceptUnix()
	if err != nil {
		return err
	}
	defer accepted.Close()
	for side, c := range []*net.UnixConn{dialed, accepted} {
		f, err := c.File()
		if err != nil {
			return err
		}
		l.files[side] = append(l.files[side], f)
	}
	return nil
}

func joinUnix(job) (end, error) {
	f := os.NewFile(firstFile, "socket")
	if f == nil {
		return nil, errors.New("no socket inherited")
	}
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	return newStreamEnd(c, c), nil
}

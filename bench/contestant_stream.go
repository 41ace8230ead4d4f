package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// firstFile is the descriptor of the first inherited file.
const firstFile = 3

// streamEnd carries messages over a stream of bytes. One Write for each
// message, as for messages that arrive one by one; the reader reads up to
// 64 KiB at once and cuts messages out of that, which is to its advantage.
type streamEnd struct {
	out io.WriteCloser
	in  io.Reader
	buf []byte
}

func newStreamEnd(j side.Job, out io.WriteCloser, in io.Reader) side.End {
	return streamEnd{out, bufio.NewReaderSize(in, 64<<10), make([]byte, j.Size)}
}

func (e streamEnd) Send(from, to uint64) error {
	for n := from; n < to; n++ {
		side.Fill(e.buf, n)
		if _, err := e.out.Write(e.buf); err != nil {
			return err
		}
	}
	return nil
}

func (e streamEnd) Receive(from, to uint64) (uint64, error) {
	for n := from; n < to; n++ {
		if _, err := io.ReadFull(e.in, e.buf); err != nil {
			return n, err // io.EOF between two messages only
		}
		if !side.Holds(e.buf, n, len(e.buf)) {
			return n, side.ErrWrong(n)
		}
	}
	return to, nil
}

func (e streamEnd) Close() error { return e.out.Close() }

func plainGo(name, about string, lay func(*link, side.Job) error, join func(side.Job) (side.End, error)) contestant {
	return contestant{Contestant: side.Contestant{Name: name, Join: join, Loose: true}, about: about, kind: plain, lay: lay}
}

// pipe is two pipes, one for each direction.
func pipe() contestant {
	return plainGo("pipe", "os.Pipe, one Write for each message", layPipes, joinPipes)
}

func layPipes(l *link, _ side.Job) error {
	for i := range 2 {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		l.files[i] = append(l.files[i], w)
		l.files[1-i] = append(l.files[1-i], r)
	}
	return nil
}

func joinPipes(j side.Job) (side.End, error) {
	// Side 0 inherited the write end of its own pipe first, side 1 last.
	out, in := os.NewFile(uintptr(firstFile+j.Side), "out"), os.NewFile(uintptr(firstFile+1-j.Side), "in")
	if out == nil || in == nil {
		return nil, errors.New("no pipes inherited")
	}
	return newStreamEnd(j, out, in), nil
}

func unixStream() contestant {
	return plainGo("Unix stream socket", "net.UnixConn, one Write for each message", laySocket("unix"), joinSocket)
}

func tcp() contestant {
	return plainGo("TCP", "net.TCPConn on the loopback interface, no delay, one Write for each message", laySocket("tcp"), joinSocket)
}

func seqpacket() contestant {
	return plainGo("Unix seqpacket socket", "net.UnixConn, one Write and one Read for each message", laySocket("unixpacket"), joinPackets)
}

// laySocket connects two sockets.
func laySocket(network string) func(*link, side.Job) error {
	return func(l *link, j side.Job) error {
		// A name is needed for the moment of connecting only.
		address := filepath.Join(j.Dir, "socket")
		if network == "tcp" {
			address = "127.0.0.1:0"
		}
		lis, err := net.Listen(network, address)
		if err != nil {
			return err
		}
		defer lis.Close()
		// Into the backlog, so that Accept does not wait.
		dialed, err := net.Dial(network, lis.Addr().String())
		if err != nil {
			return err
		}
		defer dialed.Close()
		accepted, err := lis.Accept()
		if err != nil {
			return err
		}
		defer accepted.Close()
		for i, c := range []net.Conn{dialed, accepted} {
			f, err := c.(interface{ File() (*os.File, error) }).File()
			if err != nil {
				return err
			}
			l.files[i] = append(l.files[i], f)
		}
		return nil
	}
}

func inheritedSocket() (net.Conn, error) {
	f := os.NewFile(firstFile, "socket")
	if f == nil {
		return nil, errors.New("no socket inherited")
	}
	defer f.Close()
	return net.FileConn(f)
}

func joinSocket(j side.Job) (side.End, error) {
	c, err := inheritedSocket()
	if err != nil {
		return nil, err
	}
	return newStreamEnd(j, c, c), nil
}

// joinPackets needs no buffer to cut messages out of: each Read is one.
func joinPackets(j side.Job) (side.End, error) {
	c, err := inheritedSocket()
	if err != nil {
		return nil, err
	}
	return streamEnd{c, c, make([]byte, j.Size)}, nil
}

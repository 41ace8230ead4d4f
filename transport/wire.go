package transport

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"
	"time"
)

// A conn is what both ends of a stream have: a socket, or the end of a pipe.
type conn interface {
	io.ReadWriteCloser
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	SyscallConn() (syscall.RawConn, error)
}

// A wire is the receiving end of a conn. Waiting goes through the runtime's
// poller: it costs no thread, and the end of a context ends it.
type wire struct {
	conn
	raw  syscall.RawConn
	wait Wait
	rest uint64 // how often a read waited
}

func newWire(c conn, w Wait) (*wire, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &wire{conn: c, raw: raw, wait: w}, nil
}

// errNothing: there is nothing to read now.
var errNothing = errors.New("nothing to read now")

// past ends whatever waits for a deadline.
var past = time.Unix(1, 0)

// get reads what there is, waiting for it, in the way that was asked for, until
// ctx ends; never: errNothing instead. At the end of the stream: io.EOF.
func (w *wire) get(ctx context.Context, p []byte) (int, error) {
	return toTheEnd(func() (int, error) { return w.once(ctx, p) })
}

// toTheEnd reads, and reads on if that said that the other end is gone, until a
// read that began behind the first such word says io.EOF. Of a socket that keeps
// packets, Linux may say both io.EOF, if the last packets arrive between its
// looks for packets and for the end, and a reset, if the other end left something
// unread, before the packets that came first. A reset is said once.
func toTheEnd(read func() (int, error)) (int, error) {
	n, err := read()
	if !gone(n, err) {
		return n, err
	}
	for range 2 {
		again, rerr := read()
		if again > 0 {
			return again, nil
		}
		if rerr == io.EOF {
			break
		}
	}
	return 0, err
}

// gone tells whether a read said that the other end is.
func gone(n int, err error) bool { return n == 0 && (err == io.EOF || severed(err)) }

func (w *wire) once(ctx context.Context, p []byte) (int, error) {
	if ctx == never {
		return w.try(p)
	}
	for turn := 0; w.wait == Spin || w.wait == Yield; turn++ {
		n, err := w.try(p)
		if err != errNothing {
			return n, err
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if w.wait == Yield || turn%64 == 63 {
			runtime.Gosched()
		}
	}
	return w.park(ctx, p)
}

// never is the context of calls that do not wait.
var never context.Context

// park is Read that the end of ctx ends.
func (w *wire) park(ctx context.Context, p []byte) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	w.rest++
	if ctx.Done() == nil {
		return w.Read(p)
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = w.SetReadDeadline(past)
		close(ended)
	})
	n, err := w.Read(p)
	if !stop() {
		<-ended
		_ = w.SetReadDeadline(time.Time{})
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			err = ctx.Err()
		}
	}
	return n, err
}

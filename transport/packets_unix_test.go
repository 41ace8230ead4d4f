//go:build unix

package transport

import (
	"context"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// TestPacketsBeforeTheEnd: whoever writes packets and hangs up has said what it
// said, also to a reader that looks at just that moment.
func TestPacketsBeforeTheEnd(t *testing.T) {
	const rounds = 5000
	listener, err := net.Listen("unixpacket", t.TempDir()+"/s")
	if err != nil {
		t.Skip("SKIP: no sockets that keep packets:", err)
	}
	defer listener.Close()
	for _, wait := range []Wait{Spin, Block} {
		t.Run(wait.String(), func(t *testing.T) {
			for i := range rounds {
				if err := packetThenEnd(listener, wait); err != nil {
					t.Fatalf("round %d: %v", i+1, err)
				}
			}
		})
	}
}

func TestToTheEnd(t *testing.T) {
	for _, first := range []error{io.EOF, syscall.ECONNRESET} {
		for _, c := range []struct {
			second int
			n      int
			err    error
		}{{second: 4, n: 4}, {second: 0, err: first}} {
			reads := 0
			n, err := toTheEnd(func() (int, error) {
				if reads++; reads == 1 {
					return 0, first
				}
				return c.second, io.EOF
			})
			if n != c.n || err != c.err || reads != 2 {
				t.Errorf("%v, then %d bytes: %d bytes, %v after %d reads", first, c.second, n, err, reads)
			}
		}
	}
	reads := 0
	if n, err := toTheEnd(func() (int, error) { reads++; return 0, errNothing }); n != 0 || err != errNothing || reads != 1 {
		t.Errorf("nothing: %d bytes, %v after %d reads", n, err, reads)
	}
}

func packetThenEnd(listener net.Listener, how Wait) error {
	accepted, dialed, err := connect(listener)
	if err != nil {
		return err
	}
	defer dialed.Close()
	w, err := newWire(dialed.(conn), how)
	if err != nil {
		return err
	}
	written := make(chan error, 1)
	go func() {
		_, err := accepted.Write([]byte("last"))
		_ = accepted.Close()
		written <- err
	}()
	var buf [8]byte
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	n, err := w.get(ctx, buf[:])
	if werr := <-written; werr != nil || err != nil || string(buf[:n]) != "last" {
		return fmt.Errorf("read %q, %v; write: %v", buf[:n], err, werr)
	}
	if n, err = w.get(ctx, buf[:]); n != 0 || err != io.EOF {
		return fmt.Errorf("behind the last packet: %q, %v", buf[:n], err)
	}
	return nil
}

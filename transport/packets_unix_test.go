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
// said, also to a reader that looks at just that moment; and to one whose own
// last packets were not read.
func TestPacketsBeforeTheEnd(t *testing.T) {
	const rounds = 5000
	listener, err := net.Listen("unixpacket", t.TempDir()+"/s")
	if err != nil {
		t.Skip("SKIP: no sockets that keep packets:", err)
	}
	defer listener.Close()
	for _, wait := range []Wait{Spin, Block} {
		for _, end := range []struct {
			name   string
			unread bool
			hangUp bool
		}{{name: "closed"}, {"closed with something unread", true, false}, {"hung up, then closed with something unread", true, true}} {
			t.Run(wait.String()+"/"+end.name, func(t *testing.T) {
				for i := range rounds {
					if err := packetThenEnd(listener, wait, end.unread, end.hangUp); err != nil {
						t.Fatalf("round %d: %v", i+1, err)
					}
				}
			})
		}
	}
}

func TestToTheEnd(t *testing.T) {
	type read struct {
		n   int
		err error
	}
	eof, reset, packet, nothing := read{0, io.EOF}, read{0, syscall.ECONNRESET}, read{4, nil}, read{0, errNothing}
	for _, c := range []struct {
		reads []read
		want  read
	}{
		{[]read{packet}, packet},
		{[]read{nothing}, nothing},
		{[]read{eof, eof}, eof},
		{[]read{reset, eof}, reset},
		{[]read{eof, reset, eof}, eof},
		{[]read{eof, packet}, packet},
		{[]read{reset, packet}, packet},
		{[]read{eof, reset, packet}, packet},
		{[]read{reset, reset, reset}, reset}, // of a socket that never says the end
	} {
		reads := 0
		n, err := toTheEnd(func() (int, error) {
			r := c.reads[reads]
			reads++
			return r.n, r.err
		})
		if n != c.want.n || err != c.want.err || reads != len(c.reads) {
			t.Errorf("%v: wanted %v after all of them, found %d, %v after %d", c.reads, c.want, n, err, reads)
		}
	}
}

// packetThenEnd writes a packet, and closes; first, the reader may have said
// something that nobody reads, and the writer may hang up.
func packetThenEnd(listener net.Listener, how Wait, unread, hangs bool) error {
	accepted, dialed, err := connect(listener)
	if err != nil {
		return err
	}
	defer dialed.Close()
	w, err := newWire(dialed.(conn), how)
	if err != nil {
		return err
	}
	if unread {
		if _, err := dialed.Write([]byte("unread")); err != nil {
			return err
		}
	}
	written := make(chan error, 1)
	go func() {
		_, err := accepted.Write([]byte("last"))
		if hangs {
			hangUp(accepted.(conn))
		}
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
	if n, err = w.get(ctx, buf[:]); n != 0 || err != io.EOF && !(unread && severed(err)) {
		return fmt.Errorf("behind the last packet: %q, %v", buf[:n], err)
	}
	return nil
}

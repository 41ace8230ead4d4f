package fuzz

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/carousel-ipc/carousel/internal/mutate"
	"github.com/carousel-ipc/carousel/transport"
)

// The media of FuzzStreams. "pieces" is a unix stream through a relay that
// hands on a byte at a time.
var streamMedia = []string{"unix", "pieces", "tcp", "pipe", "fifo", "log", "memfd", "unixpacket"}

// FuzzStreams (F4): the same records, in batches as the input has them, through
// each medium that carries frames. A producer and a consumer stay attached from
// one input to the next; whatever went through before, and however it was cut,
// the consumer has what was committed, in order, and nothing else.
func FuzzStreams(tf *testing.F) {
	f := mutate.Of(tf)
	for i := range streamMedia {
		f.Add(byte(i), byte(0), []byte{1, 2, 3})
		f.Add(byte(i), byte(3), bytes.Repeat([]byte{255, 0, 17, 40}, 12))
	}
	dir, err := os.MkdirTemp("", "fuzz-") // a TempDir's name is too long for a socket
	must(f, err)
	links := make([]*link, len(streamMedia))
	f.Cleanup(func() {
		for _, l := range links {
			if l != nil {
				must(tf, l.end())
			}
		}
		must(tf, os.RemoveAll(dir))
	})
	f.Fuzz(func(t *testing.T, which, views byte, sizes []byte) {
		i := int(which) % len(links)
		l := links[i]
		if links[i] = nil; l == nil { // the first time, or it failed before
			var err error
			if l, err = newLink(streamMedia[i], dir); errors.Is(err, errors.ErrUnsupported) {
				return // not on this system
			} else if err != nil {
				t.Fatalf("%s: %v", streamMedia[i], err)
			}
		}
		if err := l.carry(sizes[:min(len(sizes), 64)], 1+int(views%8)); err != nil {
			_ = l.close()
			t.Fatalf("%s: %v", streamMedia[i], err)
		}
		links[i] = l
	})
}

// A link is a medium with somebody at both of its ends.
type link struct {
	p     transport.Producer
	c     transport.Consumer
	seq   uint64 // the last that went through
	relay *relay
}

func newLink(medium, dir string) (l *link, err error) {
	l = &link{}
	defer func() {
		if err != nil {
			_ = l.close()
		}
	}()
	cfg := transport.ProducerConfig{Capacity: 1 << 16, Slots: 2}
	at := filepath.ToSlash(filepath.Join(dir, medium))
	url := medium + "://" + at
	open := func(url string) (err error) {
		l.c, err = transport.Open(background, url, transport.ConsumerConfig{})
		return err
	}
	switch medium {
	case "pipe":
		r, w, err := os.Pipe()
		if err != nil {
			return l, err
		}
		if l.p, err = transport.CreatePipe(w, cfg); err != nil {
			return l, errors.Join(err, r.Close(), w.Close())
		}
		l.c, err = transport.OpenPipe(background, r, transport.ConsumerConfig{})
		return l, err
	case "tcp":
		free, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return l, err
		}
		url = "tcp://" + free.Addr().String()
		if err := free.Close(); err != nil {
			return l, err
		}
	case "pieces":
		url = "unix://" + at
	case "log":
		cfg.Segment, cfg.Retain = 1<<20, transport.Retention{Bytes: 4 << 20}
	}
	if medium == "fifo" { // the one that comes first waits for the other
		created := make(chan error, 1)
		go func() {
			var err error
			l.p, err = transport.Create(url, cfg)
			created <- err
		}()
		err = open(url)
		return l, errors.Join(err, <-created)
	}
	if l.p, err = transport.Create(url, cfg); err != nil {
		return l, err
	}
	if medium == "pieces" {
		if l.relay, err = newRelay(at, at+"-relay"); err != nil {
			return l, err
		}
		url += "-relay"
	}
	return l, open(url)
}

// carry commits records of these sizes in batches, and has the consumer get
// them, giving back so many at a time.
func (l *link) carry(sizes []byte, views int) error {
	if l.relay != nil {
		l.relay.pieces.Store(300)
	}
	var sent, batch []entry
	for i, n := range sizes {
		e := entry{n: int(n) * 2, typ: uint16(n % 5)}
		seq := l.p.Sequence()
		b, err := l.p.Reserve(background, transport.Header{Type: e.typ}, e.n)
		if err != nil {
			return err
		}
		copy(b, payload(seq, e.n))
		batch = append(batch, e)
		switch {
		case n%16 == 15:
			l.p.Abort()
			batch = nil
		case n%3 == 0 || i == len(sizes)-1:
			if err := l.p.Commit(); err != nil {
				return err
			}
			sent, batch = append(sent, batch...), nil
		}
	}
	for i, e := range sent {
		rec, err := l.c.Next(background)
		if err != nil {
			return err
		}
		l.seq++
		if rec.Sequence != l.seq || rec.Type() != e.typ || !bytes.Equal(rec.Payload(), payload(l.seq, e.n)) {
			return fmt.Errorf("record %d of type %d and %d bytes, want %d, %d, %d", rec.Sequence, rec.Type(), len(rec.Payload()), l.seq, e.typ, e.n)
		}
		if i%views == 0 || i == len(sent)-1 {
			if err := l.c.Release(); err != nil {
				return err
			}
		}
	}
	if rec, err := l.c.TryNext(); !errors.Is(err, transport.ErrEmpty) {
		return fmt.Errorf("then record %d, %w, want none", rec.Sequence, err)
	}
	if got := l.p.Sequence(); got != l.seq+1 {
		return fmt.Errorf("the next record would be %d, want %d", got, l.seq+1)
	}
	return nil
}

// end closes the producer and hears the consumer out.
func (l *link) end() error {
	ended := make(chan error, 1)
	p := l.p
	go func() { ended <- p.Close() }() // which may wait for those who read
	rec, err := l.c.Next(background)
	if err != io.EOF {
		return fmt.Errorf("record %d, %w, want the end", rec.Sequence, err)
	}
	err = <-ended
	l.p = nil
	return errors.Join(err, l.close())
}

// close closes everything, whoever is in the middle of something.
func (l *link) close() (err error) {
	if l.c != nil {
		err = l.c.Close()
	}
	if l.p != nil {
		err = errors.Join(err, l.p.Close())
	}
	if l.relay != nil {
		err = errors.Join(err, l.relay.close())
	}
	return err
}

// A relay stands between one client and its server.
type relay struct {
	l       net.Listener
	pieces  atomic.Int64 // bytes that the server says are still handed on one by one
	stopped chan struct{}
}

func newRelay(server, at string) (*relay, error) {
	l, err := net.Listen("unix", at)
	if err != nil {
		return nil, err
	}
	r := &relay{l: l, stopped: make(chan struct{})}
	r.pieces.Store(300)
	go func() {
		defer close(r.stopped)
		client, err := l.Accept()
		if err != nil {
			return
		}
		defer client.Close()
		up, err := net.Dial("unix", server)
		if err != nil {
			return
		}
		defer up.Close()
		heard := make(chan struct{})
		go func() {
			defer close(heard)
			_, _ = io.Copy(up, client)
			_ = up.Close()
		}()
		r.speak(client, up)
		_ = client.Close()
		<-heard
	}()
	return r, nil
}

func (r *relay) speak(client, server net.Conn) {
	buf := make([]byte, 1<<14)
	for {
		n, err := server.Read(buf)
		for b := buf[:n]; len(b) > 0; {
			size := len(b)
			if r.pieces.Add(-1) >= 0 {
				size = 1
			}
			if _, err := client.Write(b[:size]); err != nil {
				return
			}
			b = b[size:]
		}
		if err != nil {
			return
		}
	}
}

func (r *relay) close() error {
	err := r.l.Close()
	<-r.stopped
	return err
}

package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/internal/mutate"
)

// fuzzMax keeps the fuzzers from spending their time on large payloads.
const fuzzMax = 1 << 12

// bytesConn is a stream that has come as a whole, and brings so many bytes a
// read.
type bytesConn struct {
	*bytes.Reader
	step int
}

func (c bytesConn) Read(b []byte) (int, error)            { return c.Reader.Read(b[:min(len(b), c.step)]) }
func (c bytesConn) Write(b []byte) (int, error)           { return len(b), nil }
func (c bytesConn) Close() error                          { return nil }
func (c bytesConn) SetReadDeadline(time.Time) error       { return nil }
func (c bytesConn) SetWriteDeadline(time.Time) error      { return nil }
func (c bytesConn) SyscallConn() (syscall.RawConn, error) { return nil, nil }

// seeds are streams of every kind of frame.
func seeds(f interface{ Add(...any) }, prefix []byte) {
	add := func(records ...frame.Record) {
		b := frame.Preamble{Epoch: 1, First: 1}.Append(append([]byte(nil), prefix...))
		for _, r := range records {
			b = frame.Append(b, r)
		}
		f.Add(b)
	}
	one := frame.NewRecord(1, 7, 0, []byte("one"))
	add()
	add(one)
	add(one, frame.NewRecord(2, 0, frame.CRC, bytes.Repeat([]byte("x"), 100)), frame.NewRecord(3, 0, frame.EOS, make([]byte, 8)))
	add(one, frame.NewRecord(5, 0, frame.More, nil), frame.NewRecord(6, 0, frame.Cont, nil), frame.NewRecord(6, 0, 0, nil))
	add(one, frame.NewRecord(2, 0, 0x0100, nil))
	add(one, frame.NewRecord(9, 0, frame.EOS, make([]byte, 8)))
	f.Add(append(append([]byte(nil), prefix...), evictionNotice(1, &EvictedError{Reason: "slow", At: 7})...))
	b := frame.Preamble{First: 1}.Append(append([]byte(nil), prefix...))
	f.Add(append(b, evictionNotice(1, &EvictedError{Reason: "slow", At: 7})...))
}

// named errors are all that may end a stream.
func isNamed(err error) bool {
	for _, e := range []error{
		io.EOF, ErrProducerDied, ErrCorrupt, ErrEvicted, ErrUnreleased, ErrFormat, ErrNoSlot, ErrConfig, ErrRemoved, ErrRefused,
		frame.ErrMagic, frame.ErrByteOrder, frame.ErrVersion, frame.ErrUnknownFlag, frame.ErrMalformed,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// FuzzPipe: whatever bytes come, and however they are cut, the same records are
// shown, in order and with every gap told, and then a named error.
func FuzzPipe(tf *testing.F) {
	f := mutate.Of(tf)
	seeds(f, nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		end := streamEnd{max: fuzzMax, most: pipeMost}
		want, wantErr := history(t, b, len(b)+1, end)
		got, err := history(t, b, 1, end)
		if !bytes.Equal(got, want) || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
			t.Fatalf("% x, %v\nbyte by byte\n% x, %v", want, wantErr, got, err)
		}
	})
}

// history reads a stream and writes down what was shown.
func history(t *testing.T, b []byte, step int, end streamEnd) (shown []byte, err error) {
	w := &wire{conn: bytesConn{bytes.NewReader(b), step}}
	c, err := newStreamConsumer(context.Background(), w, ConsumerConfig{}, end)
	next := uint64(0)
	if err == nil {
		next = c.Sequence()
	}
	for err == nil {
		var rec Record
		rec, err = c.Next(context.Background())
		over, lost := errors.AsType[*OverrunError](err)
		switch {
		case lost:
			if over.From != next || over.To < over.From || over.Lost != over.To-over.From+1 {
				t.Fatalf("%+v at record %d", over, next)
			}
			next, err = over.To+1, nil
		case errors.Is(err, ErrCorrupt) && c.err == nil: // one record
			next, err = next+1, nil
		case err == nil:
			if rec.Sequence != next {
				t.Fatalf("record %d where %d was due", rec.Sequence, next)
			}
			next++
			shown = frame.Append(shown, rec)
			if rec.Sequence%3 == 0 {
				if err := c.Release(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if c != nil && len(c.in.buf) > max(4*len(b), windowSize) {
			t.Fatalf("%d bytes of memory for %d", len(c.in.buf), len(b))
		}
	}
	if !isNamed(err) {
		t.Fatalf("an error without a name: %v", err)
	}
	return shown, err
}

// FuzzAnswer: whatever a server says, its client reads records or gives a named
// error.
func FuzzAnswer(tf *testing.F) {
	f := mutate.Of(tf)
	good := answer{version: helloVersion, every: 64, capacity: 4096, most: 1008}
	seeds(f, good.bytes())
	f.Add(answer{version: helloVersion, code: codeNoSlot, text: "full"}.bytes())
	f.Add(answer{version: 2}.bytes())
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n and some more to make it long enough"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		a, err := readAnswer(r)
		if err != nil {
			if !isNamed(err) && err != io.ErrUnexpectedEOF {
				t.Fatalf("an error without a name: %v", err)
			}
			return
		}
		end := streamEnd{max: min(int(a.most), fuzzMax), notices: true, most: unreleasedMost(a)}
		_, _ = history(t, b[len(b)-r.Len():], len(b)+1, end)
	})
}

// FuzzClient: whatever a client says, the server goes on for the others, and the
// client gets an answer or the end of its connection.
func FuzzClient(tf *testing.F) {
	f := mutate.Of(tf)
	for _, cfg := range []ConsumerConfig{{}, {Policy: Lossy, From: Oldest}, {Policy: Deadline(time.Hour), From: Sequence(2), Name: "x"}} {
		hello := newHello(wishStream, cfg).bytes()
		f.Add(hello)
		f.Add(ack{1, 0}.append(hello))
		f.Add(ack{3, 48}.append(ack{2, 32}.append(hello)))
		f.Add(ack{1 << 60, 1 << 60}.append(hello))
	}
	f.Add(newHello(wishStatistic, ConsumerConfig{}).bytes())
	f.Add(hello{version: 2, wish: 1}.bytes())
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	once := sync.OnceValues(func() (*cast, error) {
		p, err := newCast("fuzz", ProducerConfig{Capacity: 4096, Slots: 2})
		if err == nil {
			for range 10 {
				if _, err = p.Write([]byte("some record")); err != nil {
					break
				}
			}
		}
		return p, err
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := once()
		if err != nil {
			t.Fatal(err)
		}
		here, there := net.Pipe()
		v := &server{cast: p}
		done := make(chan struct{})
		go func() {
			defer close(done)
			v.serve(pipeConn{there})
		}()
		go func() { _, _ = io.Copy(io.Discard, here) }()
		_, _ = here.Write(b)
		here.Close()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatal("the server does not let go")
		}
		for range 10 { // more than a lap in the end: nobody holds the producer up
			if _, err := p.Write(make([]byte, 500)); err != nil {
				t.Fatal(err)
			}
			p.wake()
		}
		if st, err := p.Stats(); err != nil || len(st.Consumers) > 0 {
			t.Fatalf("%+v, %v", st.Consumers, err)
		}
	})
}

// pipeConn makes a net.Conn what a server's clients are.
type pipeConn struct{ net.Conn }

func (pipeConn) SyscallConn() (syscall.RawConn, error) { return nil, os.ErrInvalid }

// A stream that is cut after any byte, or has any bit flipped, shows whole
// records and ends with a named error.
func TestEveryCutAndEveryFlip(t *testing.T) {
	b := frame.Preamble{Epoch: 1, First: 1}.Append(nil)
	for seq := uint64(1); seq <= 6; seq++ {
		b = frame.Append(b, frame.NewRecord(seq, uint16(seq), frame.CRC, bytes.Repeat([]byte{byte(seq)}, int(seq*7))))
	}
	b = frame.Append(b, frame.NewRecord(7, 0, frame.EOS|frame.CRC, make([]byte, 8)))
	end := streamEnd{max: fuzzMax, most: pipeMost}
	whole, err := history(t, b, len(b), end)
	if err != io.EOF {
		t.Fatal(err)
	}
	for cut := range len(b) {
		got, err := history(t, b[:cut], len(b), end)
		if !bytes.HasPrefix(whole, got) || !errors.Is(err, ErrProducerDied) {
			t.Errorf("cut after %d bytes: %v", cut, err)
		}
	}
	for bit := range 8 * len(b) {
		flipped := bytes.Clone(b)
		flipped[bit/8] ^= 1 << (bit % 8)
		got, _ := history(t, flipped, len(b), end)
		for len(got) > 0 { // what is shown is what was sent, but for flags that may be ignored
			rec, n, err := frame.Decode(got, fuzzMax)
			if err != nil || !bytes.Equal(rec.Payload(), bytes.Repeat([]byte{byte(rec.Type())}, int(rec.Type())*7)) {
				t.Errorf("bit %d flipped: shown %+v, %v", bit, rec, err)
				break
			}
			got = got[n:]
		}
	}
}

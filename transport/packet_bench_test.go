package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"github.com/carousel-ipc/carousel/transport/internal/mqueue"
)

// passes publishes b.N records of so many bytes, committing batch at a time,
// and waits until the consumer has seen them, or the end.
func passes(b *testing.B, p Producer, open func() (Consumer, error), size, batch int) {
	done := make(chan error, 1)
	ready := make(chan struct{})
	go func() {
		c, err := open()
		close(ready)
		for n := 0; err == nil; n++ {
			if _, err = c.Next(context.Background()); errors.Is(err, ErrOverrun) {
				err = nil
			}
			if n%64 == 0 && err == nil {
				err = c.Release()
			}
		}
		if c != nil {
			_ = c.Close()
		}
		done <- err
	}()
	<-ready
	b.SetBytes(int64(size))
	for i := 0; b.Loop(); i++ {
		_, err := p.TryReserve(Header{}, size)
		if errors.Is(err, ErrFull) || errors.Is(err, ErrBatchFull) {
			if err = p.Commit(); err == nil {
				_, err = p.Reserve(context.Background(), Header{}, size)
			}
		}
		if err == nil && (i+1)%batch == 0 {
			err = p.Commit()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(p.Commit(), p.Drain(context.Background()), p.Close()); err != nil {
		b.Fatal(err)
	}
	if err := <-done; err != io.EOF {
		b.Fatal(err)
	}
}

// BenchmarkQueue is a queue beside the same queue with one record in each
// message.
func BenchmarkQueue(b *testing.B) {
	name := fmt.Sprintf("transport-bench-%d", os.Getpid())
	for _, c := range []struct{ size, batch int }{{8144, 1}, {64, 256}} {
		b.Run(fmt.Sprintf("%dB/carousel", c.size), func(b *testing.B) {
			p, err := Create("mq://"+name, ProducerConfig{})
			if err != nil {
				b.Skip(err)
			}
			passes(b, p, func() (Consumer, error) { return Open(context.Background(), "mq://"+name, ConsumerConfig{}) }, c.size, c.batch)
		})
		b.Run(fmt.Sprintf("%dB/plain", c.size), func(b *testing.B) {
			limits, err := mqueue.Limits()
			if err != nil {
				b.Skip(err)
			}
			q, err := mqueue.Create(name, limits, 0o600)
			if err != nil {
				b.Fatal(err)
			}
			defer q.Close()
			if err := mqueue.Remove(name); err != nil {
				b.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				buf := make([]byte, limits.Bytes)
				for {
					if n, _, err := q.Receive(buf); n == 0 || err != nil {
						done <- err
						return
					}
				}
			}()
			buf := make([]byte, c.size)
			b.SetBytes(int64(c.size))
			for b.Loop() {
				if err := q.Send(buf, 0); err != nil {
					b.Fatal(err)
				}
			}
			if err := errors.Join(q.Send(nil, 0), <-done); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkDatagram is about what is sent: how much of it arrives is another
// matter.
func BenchmarkDatagram(b *testing.B) {
	for _, c := range []struct{ size, batch int }{{65456, 1}, {64, 64}} {
		listener, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			b.Fatal(err)
		}
		defer listener.Close()
		b.Run(fmt.Sprintf("%dB/carousel", c.size), func(b *testing.B) {
			p, err := Create("udp://"+listener.LocalAddr().String(), ProducerConfig{})
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			b.SetBytes(int64(c.size))
			for i := 0; b.Loop(); i++ {
				if _, err := p.TryReserve(Header{}, c.size); err != nil {
					b.Fatal(err)
				}
				if (i+1)%c.batch == 0 {
					if err := p.Commit(); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run(fmt.Sprintf("%dB/plain", c.size), func(b *testing.B) {
			conn, err := net.Dial("udp", listener.LocalAddr().String())
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			buf := make([]byte, c.size)
			b.SetBytes(int64(c.size))
			for b.Loop() {
				if _, err := conn.Write(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

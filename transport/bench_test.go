package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// Each stream medium beside the same in plain Go: one write for each message,
// and a reader with a buffer. Either side makes every message, and looks at
// every line of it; ours commits 64 KiB at a time. Run with -cpu 2.
func BenchmarkStreams(b *testing.B) {
	for _, size := range []int{64, 1024, 64 << 10} {
		for _, medium := range []string{"pipe", "unix", "tcp"} {
			b.Run(fmt.Sprintf("%s/size=%d/plain", medium, size), func(b *testing.B) { benchPlain(b, medium, size) })
			b.Run(fmt.Sprintf("%s/size=%d/carousel", medium, size), func(b *testing.B) { benchStream(b, medium, size) })
		}
	}
}

func benchPlain(b *testing.B, medium string, size int) {
	var r io.ReadCloser
	var w io.WriteCloser
	if medium == "pipe" {
		from, to, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		r, w = from, to
	} else {
		address := "127.0.0.1:0"
		if medium == "unix" {
			address = filepath.Join(b.TempDir(), "s")
		}
		l, err := net.Listen(medium, address)
		if err != nil {
			b.Fatal(err)
		}
		defer l.Close()
		s, c, err := connect(l)
		if err != nil {
			b.Fatal(err)
		}
		r, w = c, s
	}
	defer r.Close()
	b.SetBytes(int64(size))
	message, source := make([]byte, size), make([]byte, size)
	b.ResetTimer()
	go func() {
		defer w.Close()
		for range b.N {
			copy(message, source)
			if _, err := w.Write(message); err != nil {
				return
			}
		}
	}()
	in, got := bufio.NewReaderSize(r, 64<<10), make([]byte, size)
	for range b.N {
		if _, err := io.ReadFull(in, got); err != nil {
			b.Fatal(err)
		}
		lookedAt += look(got)
	}
}

var lookedAt int

func look(message []byte) (sum int) {
	for i := 0; i < len(message); i += 64 {
		sum += int(message[i])
	}
	return sum
}

func benchStream(b *testing.B, medium string, size int) {
	ctx := context.Background()
	var p Producer
	var c Consumer
	var err error
	if medium == "pipe" {
		r, w, perr := os.Pipe()
		if perr != nil {
			b.Fatal(perr)
		}
		if p, err = CreatePipe(w, ProducerConfig{}); err == nil {
			c, err = OpenPipe(ctx, r, ConsumerConfig{})
		}
	} else {
		url := "unix://" + filepath.Join(b.TempDir(), "s")
		if medium == "tcp" {
			url = "tcp://" + freeAddress(b)
		}
		if p, err = Create(url, ProducerConfig{}); err == nil {
			c, err = Open(ctx, url, ConsumerConfig{})
		}
	}
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(size))
	source := make([]byte, size)
	b.ResetTimer()
	go func() {
		defer p.Close()
		batch := max(1, (64<<10)/size)
		for i := range b.N {
			buf, err := p.Reserve(ctx, Header{}, size)
			if err != nil {
				return
			}
			copy(buf, source)
			if (i+1)%batch == 0 {
				if p.Commit() != nil {
					return
				}
			}
		}
		_ = p.Commit()
	}()
	defer c.Close()
	batch := max(1, (64<<10)/size)
	for i := range b.N {
		if i%batch == 0 {
			if err := c.Release(); err != nil {
				b.Fatal(err)
			}
		}
		rec, err := c.TryNext()
		if errors.Is(err, ErrEmpty) {
			if err := c.Release(); err != nil {
				b.Fatal(err)
			}
			rec, err = c.Next(ctx)
		}
		if err != nil {
			b.Fatal(err)
		}
		lookedAt += look(rec.Payload())
	}
}

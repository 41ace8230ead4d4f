package fuzz

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/internal/mutate"
	"github.com/carousel-ipc/carousel/ring"
)

// FuzzMedia: the same records through a ring, viewed, copied and in runs, and
// through streams that come whole, a byte at a time, in halves, and with their
// end together with the last bytes. All show the same.
func FuzzMedia(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte{1, 2, 3}, true)
	f.Add(bytes.Repeat([]byte{255, 0, 17}, 30), false)
	cfg := ring.Config{Capacity: 1 << 17, Slots: 1}
	n, err := ring.Size(cfg)
	must(f, err)
	mem := aligned(n)
	var made [6][]byte // from one input to the next: to make them takes as long as the rest
	defer futex.Restrict(false, true)()
	f.Fuzz(func(t *testing.T, sizes []byte, checksum bool) {
		sizes = sizes[:min(len(sizes), 200)]
		for i, total := 0, 0; i < len(sizes); i++ { // byte by byte, more would take long and show no more
			if total += int(sizes[i]) * 2; total > 1<<13 {
				sizes = sizes[:i]
			}
		}
		clear(mem)
		cfg.Checksum = checksum
		r, err := ring.Format(mem, cfg)
		must(t, err)
		defer r.Close()
		p, err := r.NewProducer()
		must(t, err)
		for i, n := range sizes {
			_, err := p.WriteType(uint16(i%5), payload(uint64(i+1), int(n)*2))
			must(t, err)
		}
		must(t, p.Close())
		show := func(all []byte, rec ring.Record) []byte {
			return append(append(all, byte(rec.Sequence), byte(rec.Type())), rec.Payload()...)
		}
		want := made[0][:0]
		for i, n := range sizes {
			want = append(append(want, byte(i+1), byte(i%5)), payload(uint64(i+1), int(n)*2)...)
		}
		same := func(how string, got []byte) {
			t.Helper()
			if !bytes.Equal(got, want) {
				t.Fatalf("%s: %d bytes, want %d", how, len(got), len(want))
			}
		}
		from := ring.ConsumerConfig{From: ring.Oldest, Wait: ring.Block}
		viewed, copied, batched := made[1][:0], made[2][:0], made[5][:0]
		stream := frame.Preamble{Version: frame.Version, Epoch: 1, First: 1}.Append(made[3][:0])
		c, err := r.NewConsumer(from)
		must(t, err)
		for rec, err := range c.Records(background) {
			must(t, err)
			viewed = show(viewed, rec)
		}
		must(t, c.Close())
		c, err = r.NewConsumer(from)
		must(t, err)
		for {
			rec, err := c.Read(done, nil)
			if err == io.EOF {
				break
			}
			must(t, err)
			copied = show(copied, rec)
		}
		must(t, c.Close())
		c, err = r.NewConsumer(from)
		must(t, err)
		for i := 0; ; i++ {
			b, err := c.NextBatch(background, 1+i%7)
			if err == io.EOF {
				break
			}
			must(t, err)
			for i := range b.Len() {
				batched = show(batched, b.Record(i))
			}
			must(t, c.Release())
		}
		must(t, c.Close())
		same("viewed", viewed)
		same("in batches", batched)
		same("copied", copied)
		c, err = r.NewConsumer(from)
		must(t, err)
		for i := 0; ; i++ {
			run, err := c.TryRun(1 + i%3*500)
			if errors.Is(err, io.EOF) {
				break
			}
			must(t, err)
			stream = run.Append(stream)
			must(t, c.Release())
		}
		must(t, c.Close())
		for _, way := range []struct {
			how string
			of  func(io.Reader) io.Reader
		}{
			{"a stream", func(r io.Reader) io.Reader { return r }},
			{"byte by byte", iotest.OneByteReader},
			{"in halves", iotest.HalfReader},
			{"the end with the last bytes", iotest.DataErrReader},
		} {
			rd := frame.NewReader(way.of(bytes.NewReader(stream)), r.MaxRecord())
			got := made[4][:0]
			for {
				rec, err := rd.Next()
				if err == io.EOF {
					break
				}
				must(t, err)
				got = show(got, rec)
			}
			same(way.how, got)
			made[4] = got
		}
		made = [6][]byte{want, viewed, copied, stream, made[4], batched}
	})
}

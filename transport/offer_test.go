//go:build unix

package transport

import (
	"bytes"
	"context"
	"io"
	"os"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/frame"
)

// A commit that is worth it has given its records to the kernel by itself when
// it returns, as far as there was room; the rest follows when there is.
func TestACommitSendsForASenderThatSleeps(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := CreatePipe(w, ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	s := p.(*cast).present()[0]
	asleep := func() bool {
		for range 1000 {
			if s.asleep.Load() && s.role.TryLock() {
				s.role.Unlock()
				return true
			}
			time.Sleep(time.Millisecond)
		}
		return false
	}
	if !asleep() {
		t.Fatal("the sender does not sleep, with nothing to send")
	}
	const size = leastOffer
	commit := func(n int) {
		t.Helper()
		b, err := p.Reserve(context.Background(), Header{}, n)
		if err != nil {
			t.Fatal(err)
		}
		for i := range b {
			b[i] = byte(i)
		}
		if err := p.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	commit(size)
	if want := uint64(frame.PreambleSize + frame.Size(size, 0)); s.sent.Load() != want || !s.asleep.Load() {
		t.Errorf("sent %d bytes by the end of the commit, want %d, and by nobody else", s.sent.Load(), want)
	}
	const large = 900 << 10 // more than there is room for
	commit(large)
	done := make(chan error, 1)
	go func() { done <- p.Close() }()
	stream, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	in := frame.NewReader(bytes.NewReader(stream), large)
	for seq, n := range []int{size, large} {
		rec, err := in.Next()
		if err != nil || rec.Sequence != uint64(seq+1) || len(rec.Payload()) != n || rec.Payload()[n-1] != byte(n-1) {
			t.Fatalf("record %d of %d bytes: %+v, %v", seq+1, n, rec.Sequence, err)
		}
	}
}

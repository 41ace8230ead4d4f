//go:build linux && !carousel_portable

package ring

import (
	"bytes"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/internal/mutate"
	"github.com/carousel-ipc/carousel/shm"
)

// What a client says to a producer, and what a producer says to a client: the
// bytes of either, with so many descriptors at the first of them. Only what is
// right gets anywhere, nothing is kept, and nobody hangs.
func FuzzHandshake(tf *testing.F) {
	f := mutate.Of(tf)
	good := reply{slot: 1, size: 1 << 14, patience: time.Second, id: creationID{1}}.bytes()
	for side := range byte(3) {
		for fds := range byte(4) {
			f.Add(side, fds, goodHello)
			f.Add(side, fds, append(bytes.Clone(goodHello), "jj"...))
			f.Add(side, fds, good)
			f.Add(side, fds, good[:30])
			f.Add(side, fds, reply{code: codeNoSlot, text: "full"}.bytes())
			f.Add(side, fds, reply{text: `{"Epoch":1,"Consumers":[{}]}`}.bytes())
		}
	}
	f.Add(byte(0), byte(0), hello{version: handshakeVersion, wish: wishStatistics}.bytes())
	r, err := Serve(nil, ServeConfig{Config: Config{Capacity: MinCapacity, Slots: 2}})
	must(f, err)
	f.Cleanup(func() { must(f, r.Close()) })
	b := r.backing.(*servedBacking)
	memory, err := unix.MemfdCreate("carousel-hostile", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	must(f, err)
	f.Cleanup(func() { must(f, unix.Close(memory)) })
	f.Fuzz(func(t *testing.T, side, descriptors byte, said []byte) {
		if len(said) > 4096 {
			said = said[:4096] // it has to fit into the socket
		}
		defer func(start time.Time) {
			if took := time.Since(start); took > 2*time.Second {
				t.Fatalf("took %v", took)
			}
		}(time.Now())
		ours, theirs := pairOfConns(t)
		fds := make([]int, descriptors%4)
		for i := range fds {
			fds[i] = memory
		}
		if len(said) > 0 {
			must(t, hand(theirs, said, fds...))
		} else {
			fds = nil
		}
		must(t, theirs.CloseWrite())
		switch side % 3 {
		case 0:
			fuzzProducer(t, b, ours, theirs, said, len(fds))
		case 1:
			fuzzConsumer(t, ours, 2, said, len(fds))
		case 2:
			fuzzConsumer(t, ours, 0, said, len(fds))
		}
		_ = ours.Close()
		_ = theirs.Close()
	})
}

func pairOfConns(t *testing.T) (ours, theirs *net.UnixConn) {
	t.Helper()
	ours, file, err := shm.Pair()
	must(t, err)
	c, err := net.FileConn(file)
	must(t, err)
	must(t, file.Close())
	return ours, c.(*net.UnixConn)
}

// fuzzProducer has a client served who said that.
func fuzzProducer(t *testing.T, b *servedBacking, ours, theirs *net.UnixConn, said []byte, descriptors int) {
	if !b.greet(ours) {
		t.Fatal("the ring has ended")
	}
	b.serve(ours, handshakeLimit)
	answer, got := heard(t, theirs, time.Second)
	u32 := func(off int) uint32 { return binary.LittleEndian.Uint32(said[off:]) }
	want, files := -1, 0
	if descriptors == 0 && len(said) >= helloSize && binary.LittleEndian.Uint64(said) == helloMagic {
		switch want = int(codeVersion); {
		case u32(8) != handshakeVersion || u32(16) != 0:
		case wish(u32(12)) == wishPlace:
			want, files = int(codeOK), 2
		case wish(u32(12)) == wishStatistics:
			want = int(codeOK)
		}
	}
	if codeOf(answer) != want || got != files {
		t.Fatalf("%d descriptors and %q: code %d, %d descriptors, want %d, %d", descriptors, said, codeOf(answer), got, want, files)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, s := range b.seats {
		if s.taken {
			t.Fatalf("slot %d is not given back", i)
		}
	}
}

// fuzzConsumer reads that as a reply. What is taken has to be what was written.
func fuzzConsumer(t *testing.T, c *net.UnixConn, want int, said []byte, descriptors int) {
	r, files, err := readReply(c, want)
	if err != nil {
		if len(files) > 0 {
			t.Fatalf("%d files with %v", len(files), err)
		}
		return
	}
	if len(files) != want || descriptors != want {
		t.Fatalf("took %d files of %d, want %d", len(files), descriptors, want)
	}
	for i, f := range files {
		// A memfd without seals: nothing that may be mapped.
		if m, err := shm.OpenMemfd(f, int64(r.size), shm.SealedForWriters, shm.ReadOnly); err == nil {
			_ = m.Close()
			t.Fatalf("file %d is believed", i)
		}
	}
	again := r.bytes()
	if len(said) < len(again) || !bytes.Equal(said[:len(again)], again) {
		t.Fatalf("read %+v of %q", r, said)
	}
	if want == 0 {
		_, _ = parseStats(r.text)
	}
}

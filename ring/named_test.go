package ring

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

func TestNamedRingIsMadeOpenedAndRemoved(t *testing.T) {
	name := testName(t)
	_, err := Open(name)
	expectErr(t, err, fs.ErrNotExist)
	r, err := Create(name, Config{Capacity: 1 << 16, Slots: 5, MaxRecord: 1000})
	must(t, err)
	p, err := r.NewProducer()
	must(t, err)
	same, err := Create(name, Config{})
	must(t, err)
	if same.Capacity() != 1<<16 || same.MaxRecord() != 1000 {
		t.Errorf("opened %d, %d", same.Capacity(), same.MaxRecord())
	}
	for _, cfg := range []Config{{Capacity: 1 << 17}, {Slots: 6}, {MaxRecord: 1001}, {Checksum: true}} {
		_, err = Create(name, cfg)
		expectErr(t, err, ErrGeometry)
	}
	_, err = Create(name, Config{Capacity: 1 << 17})
	if !strings.Contains(err.Error(), "65536") || !strings.Contains(err.Error(), "131072") {
		t.Errorf("%v does not name both capacities", err)
	}
	_, err = same.NewProducer()
	expectErr(t, err, ErrProducerLive)
	expectErr(t, Remove(name), ErrProducerLive)
	c, err := same.NewConsumer(ConsumerConfig{})
	must(t, err)
	publish(t, p, 30)
	must(t, p.Close())
	must(t, Remove(name))
	expectErr(t, Remove(name), fs.ErrNotExist)
	// Whoever is attached goes on; nobody will come to this ring any more.
	expect(t, c, 1, 30)
	_, err = c.Next(background)
	expectErr(t, err, io.EOF)
	expectErr(t, c.WaitProducer(background), ErrRemoved)
	_, err = same.NewProducer()
	expectErr(t, err, ErrRemoved)
	must(t, c.Close())
	must(t, same.Close())
	must(t, r.Close())
}

func TestViewsThatOutliveCloseReadZerosAndDoNotFault(t *testing.T) {
	r, err := Create(testName(t), Config{Capacity: 1 << 16})
	must(t, err)
	defer r.Close()
	p, err := r.NewProducer()
	must(t, err)
	c, err := r.NewConsumer(ConsumerConfig{})
	must(t, err)
	publish(t, p, 100)
	rec, err := c.TryNext()
	must(t, err)
	must(t, c.Close())
	if shm.CanBlank {
		for _, b := range rec.Payload() {
			if b != 0 {
				t.Fatalf("a view after Close reads %v", b)
			}
		}
	}
	expectErr(t, c.Release(), os.ErrClosed)
	expectErr(t, c.Release(), os.ErrClosed)
	b, err := p.Reserve(background, 100)
	must(t, err)
	must(t, p.Close())
	copy(b, pattern(1, 100)) // goes nowhere
	expectErr(t, p.Commit(), os.ErrClosed)
	p, err = r.NewProducer()
	must(t, err)
	if p.Sequence() != 2 {
		t.Errorf("goes on at record %d, want 2: what was reserved must not count", p.Sequence())
	}
	must(t, p.Close())
}

func TestFileRingPersistsAndIsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring")
	var n uint64
	for epoch := range uint64(3) {
		r, err := CreateFile(path, Config{Capacity: 1 << 16, Checksum: true})
		must(t, err)
		p, err := r.NewProducer()
		must(t, err)
		if p.Epoch() != epoch+1 || p.Sequence() != n+1 {
			t.Fatalf("epoch %d goes on at %d", p.Epoch(), p.Sequence())
		}
		for range 10 {
			publish(t, p, 33)
			n++
		}
		must(t, p.Close())
		c, err := r.NewConsumer(ConsumerConfig{From: Oldest})
		must(t, err)
		for seq := uint64(1); seq <= n; seq++ {
			expect(t, c, seq, 33)
		}
		_, err = c.TryNext()
		expectErr(t, err, io.EOF)
		must(t, c.Close())
		must(t, r.Close())
	}
	must(t, RemoveFile(path))
}

// A machine that restarted: what a file ring holds is believed only as far as
// checksums go.
func TestFileRingAfterAnotherBoot(t *testing.T) {
	for _, tc := range []struct {
		name             string
		checksum, closed bool
		broken           uint64 // this record's payload did not reach the disk
		err              error
		next             uint64
	}{
		{"closed cleanly", false, true, 0, nil, 21},
		{"without checksums", false, false, 0, ErrUnclean, 0},
		{"with checksums", true, false, 0, nil, 21},
		{"with checksums and a hole", true, false, 13, nil, 13},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ring")
			r, err := CreateFile(path, Config{Capacity: 1 << 16, Checksum: tc.checksum})
			must(t, err)
			defer r.Close()
			p, err := r.NewProducer()
			must(t, err)
			var hole uint64
			for range 20 {
				if p.Sequence() == tc.broken {
					hole = p.pos
				}
				publish(t, p, 100)
			}
			var other [16]byte
			other[3] = 7
			p.broadcast.storeBytes(offBoot, other[:])
			if tc.broken > 0 {
				clear(p.ring[hole+16 : hole+64])
			}
			if tc.closed {
				must(t, p.Close())
			} else {
				abandon(t, p)
			}
			p, err = r.NewProducer()
			if tc.err != nil {
				expectErr(t, err, tc.err)
				return
			}
			must(t, err)
			if p.Sequence() != tc.next {
				t.Errorf("goes on at %d, want %d", p.Sequence(), tc.next)
			}
			c, err := r.NewConsumer(ConsumerConfig{From: Oldest})
			must(t, err)
			for seq := uint64(1); seq < tc.next; seq++ {
				expect(t, c, seq, 100)
			}
			if _, err = c.TryNext(); !tc.closed {
				expectErr(t, err, ErrEmpty)
			}
			publish(t, p, 5)
			expect(t, c, tc.next, 5)
			must(t, c.Close())
			must(t, p.Close())
		})
	}
}

// abandon leaves a producer as a kill would: the lock goes, nothing is written.
func abandon(t *testing.T, p *Producer) {
	t.Helper()
	must(t, p.unlock())
	p.unwatch()
	must(t, p.unmap())
	must(t, p.backing.release())
}

func TestNamesThatNoRingCanHave(t *testing.T) {
	for _, name := range []string{"", "a/b", "../x", ".hidden", "with space", "nul\x00", strings.Repeat("x", 201), strings.Repeat("x", 300), "ümlaut"} {
		_, err := Create(name, Config{})
		expectErr(t, err, ErrName)
		_, err = Open(name)
		expectErr(t, err, ErrName)
		expectErr(t, Remove(name), ErrName)
	}
	must(t, CheckName(strings.Repeat("x", 200)))
}

// Files that are no ring of this build are refused by name, and left alone.
func TestForeignFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	r, err := CreateFile(good, Config{Capacity: MinCapacity, Slots: 2})
	must(t, err)
	must(t, r.Close())
	ringBytes, err := os.ReadFile(good + ".ring")
	must(t, err)
	slotBytes, err := os.ReadFile(good + ".slots")
	must(t, err)
	edit := func(off int, v uint64, n int) func([]byte) []byte {
		return func(b []byte) []byte {
			var w [8]byte
			binary.LittleEndian.PutUint64(w[:], v)
			copy(b[off:], w[:n])
			return b
		}
	}
	same := func(b []byte) []byte { return b }
	for name, tc := range map[string]struct {
		ring, slots func([]byte) []byte
		tells       string
	}{
		"magic":            {edit(offMagic, 1, 8), same, "magic"},
		"text":             {func([]byte) []byte { return []byte("hello\n") }, same, "6 bytes"},
		"empty":            {func([]byte) []byte { return nil }, same, "0 bytes"},
		"version":          {edit(offVersion, 9, 4), same, "version 9, want 1"},
		"byte order":       {edit(offByteOrder, 0x04030201, 4), same, "0x04030201 (written by a big-endian machine)"},
		"must understand":  {edit(offMust, 4, 4), same, "0x4"},
		"capacity":         {edit(offCapacity, 5000, 8), same, "5000"},
		"huge capacity":    {edit(offCapacity, 1<<62, 8), same, "4611686018427387904"},
		"zero capacity":    {edit(offCapacity, 0, 8), same, ""},
		"max record":       {edit(offMaxRecord, 1<<20, 8), same, "1048576"},
		"slots":            {edit(offSlots, 1<<31, 4), same, "2147483648"},
		"ring start":       {edit(offRing, 0, 8), same, "ring at 0"},
		"size":             {edit(offSize, 1<<40, 8), same, "1099511627776"},
		"flags":            {edit(offRingFlags, 0xff, 4), same, "0xff"},
		"truncated":        {func(b []byte) []byte { return b[:len(b)-1] }, same, "want"},
		"slot magic":       {same, edit(offSlotMagic, 1, 8), "slot magic"},
		"slot version":     {same, edit(offSlotVersion, 7, 4), "version 7"},
		"slot count":       {same, edit(offSlotCount, 3, 4), "3 slots, want 2"},
		"slots truncated":  {same, func(b []byte) []byte { return b[:page] }, "want"},
		"slots of another": {same, edit(offSlotCreation, 0, 8), "creation"},
		"slots not there":  {same, nil, "no"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			b := tc.ring(append([]byte(nil), ringBytes...))
			must(t, os.WriteFile(path+".ring", b, 0o600))
			if tc.slots != nil {
				must(t, os.WriteFile(path+".slots", tc.slots(append([]byte(nil), slotBytes...)), 0o600))
			}
			_, err := OpenFile(path)
			if err == nil || !errors.Is(err, ErrFormat) && !errors.Is(err, errHalf) || !strings.Contains(err.Error(), tc.tells) {
				t.Fatalf("found %v, want a refusal that tells %q", err, tc.tells)
			}
			if errors.Is(err, errHalf) {
				// Nobody is at it: the next Create clears it away.
				r, err := CreateFile(path, Config{Capacity: MinCapacity})
				must(t, err)
				must(t, r.Close())
				return
			}
			_, err = CreateFile(path, Config{})
			expectErr(t, err, ErrFormat)
			expectErr(t, RemoveFile(path), ErrFormat)
			if after, err := os.ReadFile(path + ".ring"); err != nil || string(after) != string(b) {
				t.Errorf("the file was touched: %v", err)
			}
		})
	}
}

// What somebody planted under one of the two names is refused, and stays.
func TestPlantedNamesAreRefused(t *testing.T) {
	for _, file := range []string{".ring", ".slots"} {
		for what, plant := range map[string]func(path string) error{
			"directory": func(path string) error { return os.Mkdir(path, 0o700) },
			"symlink":   func(path string) error { return os.Symlink("/etc/passwd", path) },
			"dangling":  func(path string) error { return os.Symlink("nowhere", path) },
			"open mode": func(path string) error {
				return errors.Join(os.WriteFile(path, make([]byte, 1<<16), 0o600), os.Chmod(path, 0o666))
			},
			"other link": func(path string) error {
				return errors.Join(os.WriteFile(path+"x", make([]byte, 1<<16), 0o600), os.Link(path+"x", path))
			},
		} {
			t.Run(what+file, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "r")
				must(t, plant(path+file))
				before, err := os.Lstat(path + file)
				must(t, err)
				start := time.Now()
				_, err = CreateFile(path, Config{Capacity: MinCapacity})
				expectErr(t, err, shm.ErrUnsafeFile)
				if file == ".ring" {
					_, err = OpenFile(path)
					expectErr(t, err, shm.ErrUnsafeFile)
				}
				if took := time.Since(start); took > time.Second {
					t.Errorf("refused after %v", took)
				}
				after, err := os.Lstat(path + file)
				must(t, err)
				if !os.SameFile(before, after) {
					t.Error("it was replaced")
				}
			})
		}
	}
}

// Many make, take over, close and remove the same name at once: one producer
// at a time, and nothing stays.
func TestCreateAndRemoveRaces(t *testing.T) {
	name := testName(t)
	var wg sync.WaitGroup
	var live sync.Mutex
	produced := 0
	for range 8 {
		wg.Go(func() {
			for range count(100) {
				r, err := Create(name, Config{Capacity: MinCapacity})
				if err != nil {
					t.Error(err)
					return
				}
				p, err := r.NewProducer()
				switch {
				case err == nil:
					if !live.TryLock() {
						t.Error("two producers at once")
						return
					}
					produced++
					_, err := p.Write([]byte("x"))
					live.Unlock()
					if err := errors.Join(err, p.Close()); err != nil {
						t.Error(err)
					}
				case !errors.Is(err, ErrProducerLive) && !errors.Is(err, ErrRemoved):
					t.Error(err)
				}
				if err := Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrProducerLive) {
					t.Error(err)
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if produced == 0 {
		t.Error("nobody ever produced")
	}
	if err := Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestAllSlotsTaken(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity, Slots: 2})
	a := newConsumer(t, r, ConsumerConfig{})
	newConsumer(t, r, ConsumerConfig{})
	_, err := r.NewConsumer(ConsumerConfig{})
	expectErr(t, err, ErrNoSlot)
	must(t, a.Close())
	newConsumer(t, r, ConsumerConfig{})
}

func TestWaitConsumersCountsTheLiving(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity})
	p := newProducer(t, r)
	c := newConsumer(t, r, ConsumerConfig{})
	done := make(chan error, 1)
	go func() { done <- p.WaitConsumers(background, 2) }()
	select {
	case err := <-done:
		t.Fatalf("one was enough: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	dieConsumer(r, c)
	newConsumer(t, r, ConsumerConfig{Policy: Lossy})
	select {
	case err := <-done:
		t.Fatalf("one and a dead one were enough: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	newConsumer(t, r, ConsumerConfig{})
	must(t, <-done)
}

//go:build unix

package ring

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/shm"
)

// loss is a way in which the memory under a ring goes.
type loss struct {
	name string
	do   func(path string) error
	says string
}

var losses = []loss{
	{"all", func(path string) error { return os.Truncate(path+".ring", 0) }, "want the"},
	{"records", func(path string) error { return os.Truncate(path+".ring", 2*page) }, "want the"},
	{"slots", func(path string) error { return os.Truncate(path+".slots", page) }, "want the"},
	{"both", func(path string) error {
		return errors.Join(os.Truncate(path+".slots", 0), os.Truncate(path+".ring", 0))
	}, "want the"},
}

// place is a ring whose file can be truncated, and how its handles are called.
type namedPlace struct {
	name  string
	make  func(t *testing.T) (r *Ring, path string)
	guard func(func() error) error
}

func namedPlaces(t *testing.T) []namedPlace {
	places := []namedPlace{{"file", func(t *testing.T) (*Ring, string) {
		path := filepath.Join(t.TempDir(), "r")
		r, err := CreateFile(path, Config{Capacity: 1 << 16, Slots: 4})
		must(t, err)
		return r, path
	}, func(fn func() error) error { return fn() }}}
	if dir, err := shm.NamedDir(); err == nil {
		places = append(places, namedPlace{"guarded", func(t *testing.T) (*Ring, string) {
			name := testName(t)
			r, err := Create(name, Config{Capacity: 1 << 16, Slots: 4})
			must(t, err)
			t.Cleanup(func() {
				_ = os.Remove(filepath.Join(dir, name+".ring"))
				_ = os.Remove(filepath.Join(dir, name+".slots"))
			})
			return r, filepath.Join(dir, name)
		}, Guard})
	}
	return places
}

// TestTruncatedIsAnError: whatever is called next on a handle whose file was
// truncated, says so at once, and again; Close works; nobody else is concerned.
func TestTruncatedIsAnError(t *testing.T) {
	knowsFaults(t)
	calls := []struct {
		name string
		do   func(p *Producer, c *Consumer) error
	}{
		{"Write", func(p *Producer, c *Consumer) error { return fillUp(p) }},
		{"Commit", func(p *Producer, c *Consumer) error { return p.Commit() }},
		{"Drain", func(p *Producer, c *Consumer) error { return p.Drain(background) }},
		{"Stats", func(p *Producer, c *Consumer) error { _, err := p.Stats(); return err }},
		{"Next", func(p *Producer, c *Consumer) error { return drainOff(c) }},
		{"Read", func(p *Producer, c *Consumer) (err error) {
			for err == nil {
				_, err = c.Read(background, nil)
			}
			return err
		}},
		{"Records", func(p *Producer, c *Consumer) error {
			for _, err := range c.Records(background) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"ReserveBatch", func(p *Producer, c *Consumer) (err error) {
			for err == nil {
				if _, err = p.ReserveBatch(background, 100, 4); err == nil {
					err = p.Commit()
				}
			}
			return err
		}},
		{"NextBatch", func(p *Producer, c *Consumer) (err error) {
			for err == nil {
				if _, err = c.NextBatch(background, 4); err == nil {
					err = c.Release()
				}
			}
			return err
		}},
		{"TryRun", func(p *Producer, c *Consumer) (err error) {
			for err == nil {
				if _, err = c.TryRun(1 << 20); err == nil {
					err = c.Release()
				}
				if errors.Is(err, ErrEmpty) {
					err = nil
				}
			}
			return err
		}},
	}
	for _, place := range namedPlaces(t) {
		for i, loss := range losses {
			for j, call := range calls {
				if place.name != "file" && (i+j)%4 != 0 {
					continue // the same code: some of them
				}
				t.Run(place.name+"/"+loss.name+"/"+call.name, func(t *testing.T) {
					r, path := place.make(t)
					p, err := r.NewProducer()
					must(t, err)
					c, err := r.NewConsumer(ConsumerConfig{From: Oldest})
					must(t, err)
					publish(t, p, 100)
					_, err = p.TryReserve(100) // for Commit
					must(t, err)
					must(t, loss.do(path))
					begun := time.Now()
					err = place.guard(func() error { return call.do(p, c) })
					expectErr(t, err, ErrTruncated)
					if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), loss.says) {
						t.Errorf("%v does not say %s %s", err, path, loss.says)
					}
					if took := time.Since(begun); took > 5*time.Second {
						t.Errorf("took %v", took)
					}
					expectErr(t, place.guard(func() error { return call.do(p, c) }), ErrTruncated)
					perr, cerr := p.Close(), c.Close()
					for _, err := range []error{perr, cerr} {
						if err != nil && !errors.Is(err, ErrTruncated) {
							t.Errorf("Close: %v", err)
						}
					}
					must(t, r.Close())
				})
			}
		}
	}
}

// fillUp writes until there is an error.
func fillUp(p *Producer) error {
	for {
		if _, err := p.Write(make([]byte, 100)); err != nil {
			return err
		}
	}
}

// drainOff reads in place until there is an error.
func drainOff(c *Consumer) error {
	for {
		_, err := c.Next(background)
		if err == nil {
			err = c.Release()
		}
		if err != nil {
			return err
		}
	}
}

// TestGuardCoversWhatTheUserTouches: records in place and reservations are
// memory of the file, too; afterwards they read zeros.
func TestGuardCoversWhatTheUserTouches(t *testing.T) {
	knowsFaults(t)
	for _, place := range namedPlaces(t) {
		t.Run(place.name, func(t *testing.T) {
			r, path := place.make(t)
			p, err := r.NewProducer()
			must(t, err)
			c, err := r.NewConsumer(ConsumerConfig{})
			must(t, err)
			publish(t, p, 10)
			rec, err := c.Next(background)
			must(t, err)
			buf, err := p.Reserve(background, 100)
			must(t, err)
			must(t, os.Truncate(path+".ring", 0))
			sum := 0
			expectErr(t, Guard(func() error {
				for _, b := range rec.Payload() {
					sum += int(b)
				}
				return nil
			}), ErrTruncated)
			expectErr(t, Guard(func() error { clear(buf); return nil }), ErrTruncated)
			if shm.CanBlank {
				for _, b := range rec.Payload() {
					sum += int(b)
				}
				buf[0] = 1
			}
			if sum != 0 {
				t.Errorf("found bytes whose sum is %d in memory that is gone", sum)
			}
			expectErr(t, c.Release(), ErrTruncated)
			expectErr(t, p.Commit(), ErrTruncated)
			must(t, c.Close())
			must(t, p.Close())
			must(t, r.Close())
		})
	}
}

// TestTruncatedBesideOthers: of two rings the file of one is truncated, while
// goroutines wait at it and publish to it. They are told; those at the other
// ring notice nothing.
func TestTruncatedBesideOthers(t *testing.T) {
	knowsFaults(t)
	for _, place := range namedPlaces(t) {
		t.Run(place.name, func(t *testing.T) {
			r, path := place.make(t)
			p, err := r.NewProducer()
			must(t, err)
			asleep, err := r.NewConsumer(ConsumerConfig{Wait: Block})
			must(t, err)
			spins, err := r.NewConsumer(ConsumerConfig{Wait: Yield, Policy: Lossy})
			must(t, err)
			other, err := Anonymous(Config{Capacity: 1 << 14})
			must(t, err)
			op, err := other.NewProducer()
			must(t, err)
			oc, err := other.NewConsumer(ConsumerConfig{})
			must(t, err)

			ended := make(chan error, 2)
			for _, c := range []*Consumer{asleep, spins} {
				go func() { ended <- place.guard(func() error { return drainOff(c) }) }()
			}
			beside := make(chan struct{})
			go func() {
				defer close(beside)
				for range 2000 {
					publish(t, op, 1)
					expect(t, oc, op.Sequence()-1, 1)
				}
			}()
			publish(t, p, 50)
			must(t, os.Truncate(path+".ring", page))
			for range 2 {
				select {
				case err := <-ended:
					expectErr(t, err, ErrTruncated)
				case <-time.After(10 * time.Second):
					t.Fatal("a consumer of a truncated ring waits on")
				}
			}
			expectErr(t, place.guard(func() error { return fillUp(p) }), ErrTruncated)
			<-beside
			_, err = r.NewConsumer(ConsumerConfig{})
			if err == nil {
				t.Error("joined a ring whose file is truncated")
			}
			for _, close := range []func() error{asleep.Close, spins.Close, p.Close, r.Close, oc.Close, op.Close, other.Close} {
				must(t, close())
			}
		})
	}
}

// TestGuardLeavesOtherFaultsAlone: what is not a ring's is a panic, as without.
func TestGuardLeavesOtherFaultsAlone(t *testing.T) {
	for _, wrong := range []any{"not ours", errors.New("an error")} {
		func() {
			defer func() {
				if got := recover(); got != wrong {
					t.Errorf("recovered %v, want %v", got, wrong)
				}
			}()
			_ = Guard(func() error { panic(wrong) })
		}()
	}
	m, err := shm.Anonymous(page)
	must(t, err)
	defer m.Unmap()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a store into memory that is read-only went unnoticed")
			}
		}()
		_ = Guard(func() error {
			must(t, unix.Mprotect(m.Bytes(), unix.PROT_READ))
			m.Bytes()[0] = 1
			return nil
		})
	}()
	if before := debug.SetPanicOnFault(false); before {
		t.Error("the guard stayed on")
	}
}

// BenchmarkGuarded is what a call costs on a ring in a file, beside one in
// shared memory, whose calls are not guarded.
func BenchmarkGuarded(b *testing.B) {
	for _, kind := range []struct {
		name   string
		create func(string, Config) (*Ring, error)
		at     string
	}{{"shm", Create, "carousel-bench-guard"}, {"file", CreateFile, "/dev/shm/carousel-bench-guard-file"}} {
		b.Run(kind.name, func(b *testing.B) {
			r, err := kind.create(kind.at, Config{Capacity: 1 << 20})
			must(b, err)
			p, err := r.NewProducer()
			must(b, err)
			c, err := r.NewConsumer(ConsumerConfig{})
			must(b, err)
			for b.Loop() {
				buf, _ := p.Reserve(background, 64)
				buf[0] = 1
				_ = p.Commit()
				_, _ = c.TryNext()
				_ = c.Release()
			}
			must(b, c.Close())
			must(b, p.Close())
			must(b, r.Close())
			if kind.name == "shm" {
				must(b, Remove(kind.at))
			} else {
				must(b, RemoveFile(kind.at))
			}
		})
	}
}

func knowsFaults(t *testing.T) {
	t.Helper()
	if emulated() {
		t.Skip("SKIP: the emulator does not say where a fault was")
	}
}

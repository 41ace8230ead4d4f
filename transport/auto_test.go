package transport

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// without makes auto believe that some media cannot be had here.
func without(t *testing.T, media ...string) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	all := options
	options = func(name string) ([]option, error) {
		list, err := all(name)
		for i := range list {
			for _, m := range media {
				if list[i].scheme.name == m {
					s := *list[i].scheme
					s.create = func(target, ProducerConfig) (Producer, error) { return nil, syscall.ENOSPC }
					list[i].scheme = &s
				}
			}
		}
		return list, err
	}
	t.Cleanup(func() { options = all })
}

func TestAutoPicksWhatWorks(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIP: all three media exist on Linux only")
	}
	for _, c := range []struct {
		not  []string
		want string
	}{
		{nil, "shm"},
		{[]string{"shm"}, "file"},
		{[]string{"shm", "file"}, "fifo"},
	} {
		t.Run(c.want, func(t *testing.T) {
			without(t, c.not...)
			url := media(t)["auto"]
			p, err := Create(url, ProducerConfig{})
			if err != nil {
				t.Fatal(err)
			}
			chosen, why := p.(Chosen).Chosen()
			if !strings.HasPrefix(chosen, c.want+"://") || strings.Count(why, "no space left") != len(c.not) {
				t.Errorf("chose %s: %s", chosen, why)
			}
			consumer, err := Open(within(t, 5*time.Second), url, ConsumerConfig{})
			if err != nil {
				t.Fatal(err)
			}
			if found, _ := consumer.(Chosen).Chosen(); found != chosen {
				t.Errorf("the producer chose %s, the consumer found %s", chosen, found)
			}
			if err := p.WaitConsumers(within(t, 5*time.Second), 1); err != nil {
				t.Fatal(err)
			}
			publish(t, p, "x", "yy")
			expect(t, consumer, "x", "yy")
			if _, err := Create(url, ProducerConfig{}); !errors.Is(err, ErrProducerLive) {
				t.Errorf("a second producer: got %v", err)
			}
			closed(t, p)
			closed(t, consumer)
			rest, err := os.ReadDir(ownFolder())
			if err == nil && len(rest) > 0 {
				t.Errorf("%v remains", rest)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		without(t, "shm", "file", "fifo")
		if _, err := Create(media(t)["auto"], ProducerConfig{}); !errors.Is(err, errors.ErrUnsupported) || strings.Count(err.Error(), "no space left") != 3 {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a wrong wish", func(t *testing.T) {
		if _, err := Create(media(t)["auto"], ProducerConfig{Capacity: 5000}); !errors.Is(err, ErrConfig) {
			t.Errorf("got %v", err)
		}
	})
}

// A dead producer's choice does not lead anybody astray.
func TestAutoIsNotStale(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIP: all three media exist on Linux only")
	}
	without(t)
	url := media(t)["auto"]
	all, err := options(strings.TrimPrefix(url, "auto://"))
	if err != nil {
		t.Fatal(err)
	}
	// What a kill leaves: a ring without a producer.
	if err := makeOwnFolder(); err != nil {
		t.Fatal(err)
	}
	r, err := passingFile.create(all[1].name, ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := Create(url, ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(within(t, 5*time.Second), url, ConsumerConfig{From: Oldest})
	if err != nil {
		t.Fatal(err)
	}
	if found, _ := c.(Chosen).Chosen(); !strings.HasPrefix(found, "shm://") {
		t.Errorf("the consumer found %s", found)
	}
	closed(t, c)
	closed(t, p)
	rest, _ := os.ReadDir(ownFolder())
	if len(rest) > 0 {
		t.Errorf("%v remains", rest)
	}
}

package transport

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestURLs(t *testing.T) {
	for _, c := range []struct{ url, medium, name string }{
		{"shm://ticks", "shm", "ticks"},
		{"shm://A-z_0.9", "shm", "A-z_0.9"},
		{"shm://" + strings.Repeat("x", 200), "shm", strings.Repeat("x", 200)},
		{"shm://-", "shm", "-"},
		{"file:///tmp/x", "file", "/tmp/x"},
		{"memfd:///tmp/x.sock", "memfd", "/tmp/x.sock"},
		{"log:///tmp/x", "log", "/tmp/x"},
		{"file:///tmp/a b%20?c#d", "file", "/tmp/a b%20?c#d"},
		{"file:////tmp//x", "file", "//tmp//x"},
	} {
		got, err := parse(c.url)
		if err != nil || got.scheme.name != c.medium || got.name != c.name {
			t.Errorf("%q: got %q, %v; want %q", c.url, got.name, err, c.name)
		}
		if m, err := Medium(c.url); m != c.medium || err != nil {
			t.Errorf("Medium(%q) is %q, %v", c.url, m, err)
		}
	}
}

func TestURLsThatAreRefused(t *testing.T) {
	for _, c := range []struct{ url, says string }{
		{"", "found nothing"},
		{"ticks", "found no scheme"},
		{"/dev/shm/ticks", "found no scheme"},
		{"http://ticks", `unknown scheme "http"`},
		{":", `unknown scheme ""`},
		{"SHM://ticks", `unknown scheme "SHM"`},
		{strings.Repeat("s", 5000) + "://x", "unknown scheme"},
		{"memfd://tmp/x.sock", "three slashes; found two"},
		{"pipe:", "pipe: is not built yet"},
		{"fifo:///tmp/x", "fifo: is not built yet"},
		{"unix:///tmp/x", "unix: is not built yet"},
		{"tcp://localhost:1", "tcp: is not built yet"},
		{"auto://x", "auto: is not built yet"},
		{"shm:ticks", "no // behind"},
		{"shm:/ticks", "no // behind"},
		{"shm://", "empty name"},
		{"shm:///ticks", "a name has no slash, found one at byte 0"},
		{"shm://a/b", "a name has no slash, found one at byte 1"},
		{"shm://..", "does not start with a dot"},
		{"shm://.hidden", "does not start with a dot"},
		{"shm://" + strings.Repeat("x", 201), "at most 200 bytes, found 201"},
		{"shm://" + strings.Repeat("x", 300), "at most 200 bytes, found 300"},
		{"shm://a b", "found ' ' at byte 1"},
		{"shm://naïve", "found 'ï' at byte 2"},
		{"shm://a\x00b", `found '\x00' at byte 1`},
		{"shm://a\xffb", "at byte 1"},
		{"file:/tmp/x", "no // behind"},
		{"file://tmp/x", "three slashes; found two"},
		{"file://", "empty path"},
		{"file:///", "slash at its end"},
		{"file:///tmp/", "slash at its end"},
		{"file:///tmp/a\x00b", "zero byte"},
		{"file:///tmp/" + strings.Repeat("x", 300), "at most 200 bytes, found 300"},
	} {
		_, err := Medium(c.url)
		if !errors.Is(err, ErrURL) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "want ") {
			t.Errorf("%.80q: got %v; want %q", c.url, err, c.says)
			continue
		}
		if n := len(err.Error()); n > 300 || strings.ContainsAny(err.Error(), "\x00\n") {
			t.Errorf("%.80q: an error of %d bytes: %q", c.url, n, err)
		}
		_, err1 := Create(c.url, ProducerConfig{})
		_, err2 := Open(t.Context(), c.url, ConsumerConfig{})
		_, err3 := Inspect(c.url)
		for _, err := range []error{err1, err2, err3} {
			if !errors.Is(err, ErrURL) {
				t.Errorf("%.80q: got %v, want ErrURL", c.url, err)
			}
		}
	}
}

func TestSchemes(t *testing.T) {
	if got := Schemes(); !slices.Equal(got, []string{"file", "log", "memfd", "mq", "shm", "udp"}) {
		t.Errorf("schemes are %v", got)
	}
	for _, s := range Schemes() {
		if slices.Contains(planned, s) {
			t.Errorf("%s is built, and still planned", s)
		}
	}
}

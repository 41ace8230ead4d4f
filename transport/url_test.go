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
		{"unix:///tmp/x.sock", "unix", "/tmp/x.sock"},
		{"unixpacket:///tmp/x.sock", "unixpacket", "/tmp/x.sock"},
		{"tcp://localhost:7000", "tcp", "localhost:7000"},
		{"tcp://:7000", "tcp", ":7000"},
		{"tcp://[::1]:7000", "tcp", "[::1]:7000"},
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
		{"pipe://", `found "//" behind it`},
		{"fifo://tmp/x", "three slashes; found two"},
		{"unix:///tmp/" + strings.Repeat("x", 100), "at most 103 bytes, found 105"},
		{"unix://tmp/x", "three slashes; found two"},
		{"unixpacket://tmp/x", "three slashes; found two"},
		{"tcp:localhost:1", "no // behind"},
		{"tcp://localhost", "missing port in address"},
		{"tcp://localhost:0", `a port is a number from 1 to 65535, found "0"`},
		{"tcp://localhost:65536", `found "65536"`},
		{"tcp://localhost:http", `found "http"`},
		{"tcp://a:b:1", "too many colons"},
		{"auto://a/b", "a name has no slash, found one at byte 1"},
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
		if n := len(err.Error()); n > 500 || strings.ContainsAny(err.Error(), "\x00\n") {
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
	if got := Schemes(); !slices.Equal(got, []string{"auto", "fifo", "file", "log", "memfd", "mq", "pipe", "shm", "tcp", "udp", "unix", "unixpacket"}) {
		t.Errorf("schemes are %v", got)
	}
}

package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

type noInput struct{}

func (noInput) Read([]byte) (int, error) { return 0, io.EOF }

func TestUsageErrors(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		command string
		args    []string
		says    string
	}{
		{"producer", nil, "want a URL"},
		{"producer", []string{"shm://a", "shm://b"}, "want one URL, found 2"},
		{"producer", []string{"shm://a", "-json"}, "flags go before the URL"},
		{"producer", []string{"-bogus", "shm://a"}, "not defined: -bogus"},
		{"producer", []string{"-split", "words", "shm://a"}, "want one of lines, nul, len32, all, frames"},
		{"producer", []string{"-capacity", "5000", "shm://a"}, "power of two from 4KiB"},
		{"producer", []string{"-capacity", "2KiB", "shm://a"}, "power of two from 4KiB"},
		{"producer", []string{"-capacity", "4GiB", "shm://a"}, "power of two from 4KiB"},
		{"producer", []string{"-capacity", "1MB", "shm://a"}, "want a number of bytes such as"},
		{"producer", []string{"-slots", "0", "shm://a"}, "want 1 to"},
		{"producer", []string{"-slots", "99999", "shm://a"}, "want 1 to"},
		{"producer", []string{"-slots", "2", "-consumers", "3", "shm://a"}, "only 2 slots"},
		{"producer", []string{"-consumers", "-1", "shm://a"}, "want 0 or more"},
		{"producer", []string{"-batch", "0", "shm://a"}, "want 1 or more"},
		{"producer", []string{"-type", "65536", "shm://a"}, "0 to 65535"},
		{"producer", []string{"-wait", "nap", "shm://a"}, "want spin, yield, block or adaptive"},
		{"producer", []string{"-drain", "-1s", "shm://a"}, "want 0 or more"},
		{"producer", []string{"-users", "0,x", "memfd:///a"}, "want ids of users"},
		{"producer", []string{"-users", "7", "shm://a"}, "are about memfd: rings, found shm://a"},
		{"producer", []string{"-patience", "1s", "memfd:///a"}, "give -users too"},
		{"producer", []string{"-gen", "5", "-size", "23", "shm://a"}, "at least 24 bytes"},
		{"producer", []string{"-gen", "5", "-rate", "0", "shm://a"}, "more than 0"},
		{"producer", []string{"-gen", "5", "-rate", "NaN", "shm://a"}, "more than 0"},
		{"producer", []string{"-gen", "-5", "shm://a"}, "invalid value"},
		{"producer", []string{"-rate", "-5", "shm://a"}, "more than 0"},
		{"producer", []string{"-size", "64", "shm://a"}, "give -gen too"},
		{"producer", []string{"-gen", "5", "-split", "nul", "shm://a"}, "-gen does not read"},
		{"producer", []string{"-split", "frames", "-type", "3", "shm://a"}, "no -type"},
		{"producer", []string{"-demo", "shm://a"}, "stands alone"},
		{"producer", []string{"-demo", "-json"}, "stands alone"},
		{"producer", []string{"ticks"}, "found no scheme"},
		{"producer", []string{"shm://a/b"}, "no slash"},
		{"producer", []string{"shm://"}, "empty name"},
		{"producer", []string{"shm://" + long}, "found 300"},
		{"producer", []string{"shm://.a"}, "dot"},
		{"producer", []string{"log://tmp/x"}, "three slashes"},
		{"producer", []string{"-sync", "often", "log:///tmp/x"}, "want none, each or interval=D"},
		{"producer", []string{"-sync", "interval=0s", "log:///tmp/x"}, "want none, each or interval=D"},
		{"producer", []string{"-sync", "each", "shm://a"}, "-sync is about log:, found shm:"},
		{"producer", []string{"-retain", "0", "log:///tmp/x"}, "more than 0"},
		{"producer", []string{"-retain", "much", "log:///tmp/x"}, "want a size such as"},
		{"producer", []string{"-retain", "1h", "mq://a"}, "-retain is about log:, found mq:"},
		{"producer", []string{"mq://a/b"}, "no slash"},
		{"producer", []string{"udp://localhost"}, "missing port"},
		{"consumer", []string{"-from", "time=noon", "log:///tmp/x"}, "want time=T with T such as"},
		{"consumer", []string{"-from", "time=2006-01-02T15:04:05Z", "shm://a"}, "is about log:, found shm:"},
		{"producer", []string{"carrier://pigeon"}, `unknown scheme "carrier"`},
		{"producer", []string{"file://tmp/x"}, "three slashes"},
		{"consumer", nil, "want a URL"},
		{"consumer", []string{"shm://a b"}, `found ' '`},
		{"consumer", []string{"nosuch://x"}, `unknown scheme "nosuch"`},
		{"consumer", []string{"-policy", "deadline", "shm://a"}, "want reliable, lossy or deadline=D"},
		{"consumer", []string{"-policy", "deadline=0s", "shm://a"}, "want reliable, lossy or deadline=D"},
		{"consumer", []string{"-from", "seq=0", "shm://a"}, "N from 1"},
		{"consumer", []string{"-n", "0", "shm://a"}, "want 1 or more"},
		{"consumer", []string{"-n", "x", "shm://a"}, "invalid value"},
		{"consumer", []string{"-verify", "-split", "nul", "shm://a"}, "print none"},
		{"consumer", []string{"-connect", "-1s", "shm://a"}, "want 0 or more"},
		{"consumer", []string{"-linger", "-1s", "shm://a"}, "want 0 or more"},
		{"consumer", []string{"-linger", "soon", "shm://a"}, "invalid value"},
		{"consumer", []string{"-name", strings.Repeat("n", 49), "shm://a"}, "1 to 48 bytes"},
		{"consumer", []string{"-name", "a\nb", "shm://a"}, "1 to 48 bytes"},
		{"consumer", []string{"-capacity", "4KiB", "shm://a"}, "not defined"},
	} {
		var stdout, stderr bytes.Buffer
		code := call(c.command, c.args, noInput{}, &stdout, &stderr)
		lines := strings.Split(strings.TrimSuffix(stderr.String(), "\n"), "\n")
		if code != exitUsage || !strings.Contains(lines[0], c.says) || len(lines) != 2 ||
			lines[1] != "Try '"+c.command+" -h'." || !strings.HasPrefix(lines[0], c.command+": ") || stdout.Len() > 0 {
			t.Errorf("%s %q: exit %d, said %q; want exit 2 and %q", c.command, c.args, code, stderr.String(), c.says)
		}
		for _, l := range lines {
			if len(l) > 250 {
				t.Errorf("%s %q: a line of %d bytes", c.command, c.args, len(l))
			}
		}
	}
}

func call(command string, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if command == "producer" {
		return Producer(args, stdin, stdout, stderr)
	}
	return Consumer(args, stdout, stderr)
}

func TestHelpAndVersion(t *testing.T) {
	for command, usage := range map[string]string{"producer": producerUsage, "consumer": consumerUsage} {
		for _, flag := range []string{"-h", "-help", "--help"} {
			var stdout, stderr bytes.Buffer
			if code := call(command, []string{flag}, noInput{}, &stdout, &stderr); code != exitOK || stdout.String() != usage || stderr.Len() > 0 {
				t.Errorf("%s %s: exit %d, stderr %q", command, flag, code, &stderr)
			}
		}
		for i, l := range strings.Split(usage, "\n") {
			if n := len([]rune(l)); n > 92 {
				t.Errorf("%s -h: line %d has %d columns", command, i+1, n)
			}
		}
		var stdout, stderr bytes.Buffer
		code := call(command, []string{"-version"}, noInput{}, &stdout, &stderr)
		if code != exitOK || !strings.HasPrefix(stdout.String(), command+" (carousel) ") || strings.Count(stdout.String(), "\n") != 1 {
			t.Errorf("%s -version: exit %d, %q", command, code, &stdout)
		}
	}
}

// Every flag is in the help, and the help names no flag that is not there.
func TestHelpNamesEveryFlag(t *testing.T) {
	for command, flags := range map[string]string{
		"producer": "split gen size rate consumers capacity slots batch type crc users patience wait drain sync retain progress json version demo",
		"consumer": "split policy from n type verify latency wait connect linger follow name progress json version",
	} {
		usage := producerUsage
		if command == "consumer" {
			usage = consumerUsage
		}
		want := strings.Fields(flags)
		var got []string
		for l := range strings.Lines(usage) {
			if name, ok := strings.CutPrefix(l, "  -"); ok {
				got = append(got, strings.Fields(name)[0])
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s -h explains %v, want %v", command, got, want)
		}
		for _, f := range want {
			var stderr bytes.Buffer
			// A value that none takes, so that nothing runs.
			code := call(command, []string{"-" + f + "=\x01"}, noInput{}, io.Discard, &stderr)
			if code != exitUsage || strings.Contains(stderr.String(), "not defined") {
				t.Errorf("%s has no -%s", command, f)
			}
		}
	}
}

func TestSummaryKeys(t *testing.T) {
	keys := func(b []byte) []string {
		var m map[string]json.RawMessage
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		for k, v := range m {
			if string(v) == "null" {
				t.Errorf("%s is null", k)
			}
		}
		return slices.Sorted(maps.Keys(m))
	}
	var b bytes.Buffer
	summarize(newConsole(&b, "x"), producerSummary{}, true)
	if got, want := keys(b.Bytes()), []string{"bytes", "error", "evicted", "fence", "medium", "published", "seconds", "url"}; !reflect.DeepEqual(got, want) {
		t.Errorf("producer: keys %v, want %v", got, want)
	}
	b.Reset()
	summarize(newConsole(&b, "x"), consumerSummary{Error: "a <b>\nc"}, true)
	want := []string{"bytes", "duplicates", "epochs", "error", "first_lost", "last_lost", "latency_ns", "lost", "medium", "name",
		"out_of_order", "policy", "received", "seconds", "torn", "url"}
	if got := keys(b.Bytes()); !reflect.DeepEqual(got, want) {
		t.Errorf("consumer: keys %v, want %v", got, want)
	}
	if strings.Count(b.String(), "\n") != 1 || !strings.Contains(b.String(), "<b>") {
		t.Errorf("not one plain line: %q", &b)
	}
	var m map[string]json.RawMessage
	_ = json.Unmarshal(b.Bytes(), &m)
	if got, want := keys(m["latency_ns"]), []string{"max", "p50", "p90", "p99", "p999"}; !reflect.DeepEqual(got, want) {
		t.Errorf("latency: keys %v, want %v", got, want)
	}
}

func TestScaled(t *testing.T) {
	for _, c := range []struct {
		x    float64
		want string
	}{
		{0, "0 B"}, {1, "1 B"}, {999, "999 B"}, {999.4, "999 B"}, {1000, "1.00 kB"}, {9999, "10.0 kB"}, {12345, "12.3 kB"},
		{123456, "123 kB"}, {999499, "999 kB"}, {999500, "1.00 MB"}, {1e9, "1.00 GB"},
	} {
		if got := scaled(c.x, "B"); got != c.want {
			t.Errorf("%v is %q, want %q", c.x, got, c.want)
		}
	}
}

package confined

import (
	"strings"
	"testing"
)

// within runs a line of shell in one place, with both commands in PATH: what
// is mounted there is seen by both.
func within(t *testing.T, p Place, line string) *process {
	t.Helper()
	dir := strings.TrimSuffix(command(t, "test"), "/test")
	return start(t, p, nil, "/bin/sh", "-c", "PATH="+dir+":$PATH; "+line)
}

// roundTrip is a producer and a consumer at a URL; it ends with the producer's
// code if that is not 0.
func roundTrip(flags, url string) string {
	return `
	printf 'one\ntwo\n' | producer -consumers 1 ` + flags + ` ` + url + ` & p=$!
	consumer ` + url + ` || exit
	wait $p`
}

// A container's /dev/shm has 64 MiB: more than enough for a ring of the default
// size. A ring larger than it is an error that says what was wanted and what
// was found, leaves nothing, and goes elsewhere.
func TestSmallMemory(t *testing.T) {
	needsRoot(t)
	small := Container(Tmpfs("/dev/shm", "size=64m"))
	const left = `; code=$?; ls -A /dev/shm; exit $code`
	for _, row := range []struct {
		name, line string
		code       int
		says, out  string
	}{
		{"default", roundTrip("", "shm://r") + left, 0, "published 2 records", "one\ntwo\n"},
		{"half", roundTrip("-capacity 32MiB", "shm://r") + left, 0, "published 2 records", "one\ntwo\n"},
		{"larger", `echo x | producer -capacity 128MiB shm://r` + left, 1, "wanted 134230016 bytes, found 67108864 bytes free", ""},
		{"just larger", `echo x | producer -capacity 64MiB shm://r` + left, 1, "found 67108864 bytes free", ""},
		{"what to do", `echo x | producer -capacity 64MiB shm://r` + left, 1, "try file:///PATH or memfd:///PATH.sock", ""},
		{"the slots do not fit", `head -c 33500000 /dev/zero > /dev/shm/x; echo y | producer -capacity 32MiB shm://r; code=$?; rm /dev/shm/x; (exit $code)` + left, 1, "not enough space for /dev/shm/r.slots", ""},
		{"memfd has its own", roundTrip("-capacity 128MiB", "memfd:///dev/shm/s") + left, 0, "published 2 records", "one\ntwo\n"},
		{"full", `head -c 70000000 /dev/zero > /dev/shm/x; echo y | producer shm://r; code=$?; rm /dev/shm/x; (exit $code)` + left, 1, "found 0 bytes free", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := within(t, small, row.line)
			c.wants(row.code, row.says)
			if found := c.out.String(); found != row.out {
				t.Errorf("found %q on standard output and of names left, wanted %q", found, row.out)
			}
			t.Log(strings.TrimSpace(c.stderr.String()))
		})
	}
}

// Where there is no folder in memory that this user can write to, shm:// says
// so at once, to producers and consumers, and says what to use instead; and
// that works.
func TestNoMemory(t *testing.T) {
	needsRoot(t)
	for _, row := range []struct {
		name  string
		place func(shared string) Place
		says  string
		waits bool // consumers do: there may be a ring one day
	}{
		{"no /dev/shm", func(string) Place { return Container(Tmpfs("/dev", "")) }, "no folder for named shared memory: stat /dev/shm", false},
		{"on a disk", func(shared string) Place { return Container(Bind(shared, "/dev/shm")) }, "wanted a tmpfs at /dev/shm, found a file system of type ", false},
		{"read-only", func(string) Place { return Container(Tmpfs("/dev/shm", ""), ReadOnly("/dev/shm")) }, "read-only file system", true},
		{"another user's", func(string) Place { return as(nobody, Container(Tmpfs("/dev/shm", "mode=0755"))) }, "permission denied", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			shared, _ := folders(t, nobody)
			place := row.place(shared)
			for _, line := range []string{"echo x | producer shm://r", "consumer shm://r"} {
				if row.waits && line[0] == 'c' {
					continue
				}
				c := within(t, place, line)
				c.wants(1, row.says)
				c.wants(1, "try file:///PATH or memfd:///PATH.sock")
				t.Log(strings.TrimSpace(c.stderr.String()))
			}
			for _, url := range []string{"memfd://" + shared + "/s", "file://" + shared + "/r"} {
				// The shell needs one, which is not there where /dev is empty.
				c := within(t, place, "[ -e /dev/null ] || mknod /dev/null c 1 3;"+roundTrip("", url))
				c.wants(0, "published 2 records")
				if found := c.out.String(); found != "one\ntwo\n" {
					t.Errorf("%s: found %q, wanted both lines", url, found)
				}
			}
		})
	}
}

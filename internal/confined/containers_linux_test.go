package confined

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/carousel-ipc/carousel/internal/seccomp"
)

// Producer and consumers, the commands as they are, in containers of their own
// that share a folder: real input arrives whole.
func TestBetweenContainers(t *testing.T) {
	needsRoot(t)
	for _, row := range []struct {
		name  string
		user  int // whose the shared folders are
		place func(shared, memory string) Place
	}{
		{"all namespaces but the users'", 0, func(shared, memory string) Place { return Container(Bind(memory, "/dev/shm")) }},
		{"users of their own", stranger, func(shared, memory string) Place { return withUsers(Container(Bind(memory, "/dev/shm"))) }},
		{"Docker's filter, read-only, as nobody", nobody, func(shared, memory string) Place {
			p := as(nobody, Container(Bind(memory, "/dev/shm"), Bind(shared, shared), ReadOnly("/")))
			p.Filter = seccomp.Docker()
			return p
		}},
		{"Docker's filter of years ago", 0, func(shared, memory string) Place {
			p := Container(Bind(memory, "/dev/shm"))
			p.Filter = seccomp.DockerBeforeMembarrier()
			return p
		}},
		{"without /proc", 0, func(shared, memory string) Place { return Container(Bind(memory, "/dev/shm"), Tmpfs("/proc", "")) }},
	} {
		for _, medium := range []string{"memfd", "shm", "file"} {
			t.Run(row.name+", "+medium, func(t *testing.T) {
				t.Parallel()
				shared, memory := folders(t, row.user)
				place := row.place(shared, memory)
				url := map[string]string{"memfd": "memfd://" + shared + "/s", "shm": "shm://r", "file": "file://" + shared + "/r"}[medium]
				deliver(t, text(t), "lines", []Place{place, place}, func() *process {
					return run(t, place, text(t), "producer", "-capacity", longLines, "-consumers", "2", url)
				}, url)
			})
		}
	}
}

// longLines is the capacity of a ring that takes the longest line there is in
// Go's sources, of 1.3 MiB.
const longLines = "8MiB"

// deliver starts a consumer in each place, then the producer, and compares.
func deliver(t *testing.T, input []byte, split string, places []Place, producer func() *process, url string) {
	t.Helper()
	var consumers []*process
	for i, place := range places {
		consumers = append(consumers, run(t, place, nil, "consumer", "-split", split, "-name", fmt.Sprint("c", i), url))
	}
	p := producer()
	p.wants(0, "")
	want := sha256.Sum256(input)
	for _, c := range consumers {
		c.wants(0, "")
		if got := sha256.Sum256(c.out.Bytes()); got != want {
			t.Errorf("a consumer wrote %d bytes of checksum %x, wanted %d of %x", c.out.Len(), got, len(input), want)
		}
	}
	t.Logf("%d bytes, sha256 %x: %s", len(input), want[:4], strings.TrimSpace(p.stderr.String()))
}

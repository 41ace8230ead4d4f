//go:build amd64

package confined

import (
	"os"
	"os/exec"
	"testing"
)

// Programs of 32 and of 64 bits meet on one ring, whichever of them made it:
// all words of the layout are as long on every machine.
func TestWordSizes(t *testing.T) {
	short := t.TempDir()
	build := exec.Command("go", "build", "-o", short, "../../cmd/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=386")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, row := range []struct{ name, producer, consumer string }{
		{"32 bits to 64", short + "/producer", command(t, "consumer")},
		{"64 bits to 32", command(t, "producer"), short + "/consumer"},
	} {
		for _, medium := range []string{"memfd", "shm", "file"} {
			t.Run(row.name+", "+medium, func(t *testing.T) {
				shared, _ := folders(t, os.Geteuid())
				url := map[string]string{"memfd": "memfd://" + shared + "/s", "shm": "shm://carousel-confined-words", "file": "file://" + shared + "/r"}[medium]
				var consumers []*process
				for range 2 {
					consumers = append(consumers, start(t, Place{}, nil, row.consumer, "-verify", "-from", "seq=1", url))
				}
				p := start(t, Place{}, nil, row.producer, "-gen", "20000", "-size", "200", "-crc", "-capacity", "64KiB", "-consumers", "2", url)
				p.wants(0, "published 20000 records")
				for _, c := range consumers {
					c.wants(0, "received 20000 records")
				}
			})
		}
	}
}

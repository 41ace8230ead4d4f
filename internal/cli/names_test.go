package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/carousel-ipc/carousel/transport"
)

var names atomic.Uint64

// ringName is a name for a ring in /dev/shm that no other test has. What is
// left under it at the end is removed, and an error: see mayRemain.
func ringName(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("cli-test-%d-%d", os.Getpid(), names.Add(1))
	t.Cleanup(func() {
		for _, f := range remains(name) {
			t.Errorf("%s remains", f)
			os.Remove(f)
		}
	})
	return name
}

// mayRemain is for tests that kill: the ring is removed without a complaint.
func mayRemain(t testing.TB, name string) {
	t.Cleanup(func() {
		for _, f := range remains(name) {
			os.Remove(f)
		}
	})
}

func remains(name string) []string {
	files, _ := filepath.Glob("/dev/shm/" + name + "*")
	return files
}

var inspect = transport.Inspect

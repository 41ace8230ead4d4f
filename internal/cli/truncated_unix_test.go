//go:build unix

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

// TestTruncatedFileIsAnErrorOfBothCommands: a ring's file is truncated while
// both are busy. Neither dies of a signal, both say why they end.
func TestTruncatedFileIsAnErrorOfBothCommands(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	rings := map[string]string{"file://" + path: path}
	if dir, err := shm.NamedDir(); err == nil {
		name := fmt.Sprintf("carousel-test-%d-truncated", os.Getpid())
		path := filepath.Join(dir, name)
		rings["shm://"+name] = path
		t.Cleanup(func() { os.Remove(path + ".ring"); os.Remove(path + ".slots") })
	}
	for url, path := range rings {
		for _, verify := range []string{"-verify", "-split=lines"} {
			t.Run(url[:4]+verify, func(t *testing.T) {
				defer os.Remove(path + ".slots")
				defer os.Remove(path + ".ring")
				p := start(t, nil, nil, "producer", "-gen", "1000000000", "-consumers", "1", url)
				c := start(t, nil, nil, "consumer", verify, url)
				time.Sleep(100 * time.Millisecond)
				for until := time.Now().Add(5 * time.Second); os.Truncate(path+".ring", 0) != nil && time.Now().Before(until); {
					time.Sleep(5 * time.Millisecond)
				}
				for _, end := range []*child{p, c} {
					if code := end.exit(); code != exitError {
						t.Errorf("%v: exit code %d, want %d", end.Args, code, exitError)
					}
					if said := end.stderr.String(); !strings.Contains(said, "truncated") && !strings.Contains(said, "0 bytes") {
						t.Errorf("%v says %q, want that the file was truncated", end.Args, said)
					}
				}
			})
		}
	}
}

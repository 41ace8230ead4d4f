//go:build unix

package shm_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/shm"
)

func setUmask(mask int) (restore func()) {
	old := syscall.Umask(mask)
	return func() { syscall.Umask(old) }
}

func TestOpenRefuses(t *testing.T) {
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	regular := func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte("x"), 0o600)) }
	tests := map[string]struct {
		found string
		make  func(t *testing.T, path string)
	}{
		"symlink": {"a symbolic link", func(t *testing.T, path string) {
			regular(t, path+".to")
			must(t, os.Symlink(path+".to", path))
		}},
		"dangling symlink": {"a symbolic link", func(t *testing.T, path string) { must(t, os.Symlink("nowhere", path)) }},
		"FIFO":             {"a FIFO", func(t *testing.T, path string) { must(t, unix.Mkfifo(path, 0o600)) }},
		"directory":        {"a directory", func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) }},
		"socket": {"a socket", func(t *testing.T, path string) {
			l, err := net.Listen("unix", path)
			must(t, err)
			t.Cleanup(func() { _ = l.Close() })
		}},
		"device": {"a character device", func(t *testing.T, path string) {
			if err := unix.Mknod(path, unix.S_IFCHR|0o600, 1<<8|3); err != nil {
				t.Skipf("SKIP: needs root: %v", err)
			}
		}},
		"mode": {"mode 0644", func(t *testing.T, path string) {
			regular(t, path)
			must(t, os.Chmod(path, 0o644))
		}},
		"group": {"mode 0620", func(t *testing.T, path string) {
			regular(t, path)
			must(t, os.Chmod(path, 0o620))
		}},
		"hard link": {"found 2", func(t *testing.T, path string) {
			regular(t, path)
			must(t, os.Link(path, path+".too"))
		}},
		"owner": {"wanted owner uid " + strconv.Itoa(os.Geteuid()) + ", found uid 65534", func(t *testing.T, path string) {
			if os.Geteuid() != 0 {
				t.Skip("SKIP: needs root, to make a file that belongs to another user")
			}
			regular(t, path)
			must(t, os.Chown(path, 65534, 65534))
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := shortDir(t) + "/f"
			test.make(t, path)
			for _, a := range []shm.Access{shm.ReadOnly, shm.ReadWrite} {
				done := make(chan error, 1)
				go func() {
					f, err := shm.Open(path, a)
					if err == nil {
						_ = f.Close()
					}
					done <- err
				}()
				select {
				case err := <-done:
					if !errors.Is(err, shm.ErrUnsafeFile) || !strings.Contains(err.Error(), test.found) {
						t.Errorf("%v: found %v", a, err)
					}
					if strings.Count(err.Error(), path) != 1 {
						t.Errorf("%v: found %v, want the path in it once", a, err)
					}
				case <-time.After(enough):
					t.Fatalf("%v: Open blocks", a)
				}
			}
		})
	}
}

func TestOpenNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none")
	_, err := shm.Open(path, shm.ReadOnly)
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, shm.ErrUnsafeFile) {
		t.Errorf("found %v", err)
	}
	if want := "shm: open " + path + ": no such file or directory"; err.Error() != want {
		t.Errorf("found %v, want %s", err, want)
	}
}

// shortDir makes a folder whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "shm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

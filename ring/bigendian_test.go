//go:build mips || mips64 || ppc64 || s390x

package ring

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// On a big-endian machine every way in is refused in words, before anything is
// made. (All other tests of this package need a ring.)
func TestBigEndianMachineIsRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"})
	must(t, err)
	defer l.Close()
	mem := make([]byte, 1<<20)
	for name, way := range map[string]func() error{
		"Create":     func() error { _, err := Create("bigendian", Config{}); return err },
		"Open":       func() error { _, err := Open("bigendian"); return err },
		"Remove":     func() error { return Remove("bigendian") },
		"CreateFile": func() error { _, err := CreateFile(path, Config{}); return err },
		"OpenFile":   func() error { _, err := OpenFile(path); return err },
		"RemoveFile": func() error { return RemoveFile(path) },
		"Anonymous":  func() error { _, err := Anonymous(Config{}); return err },
		"Size":       func() error { _, err := Size(Config{}); return err },
		"Format":     func() error { _, err := Format(mem, Config{Capacity: MinCapacity}); return err },
		"Attach":     func() error { _, err := Attach(mem); return err },
		"Listen":     func() error { _, err := Listen(path, ServeConfig{}); return err },
		"Serve":      func() error { _, err := Serve(l, ServeConfig{}); return err },
		"Dial":       func() error { _, err := Dial(t.Context(), path); return err },
		"Inspect":    func() error { _, err := Inspect(t.Context(), path); return err },
	} {
		err := way()
		if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "wanted a little-endian machine, found") {
			t.Errorf("%s: got %v, want ErrUnsupported about a big-endian machine", name, err)
		}
		t.Logf("%s: %v", name, err)
	}
	left, err := os.ReadDir(dir)
	must(t, err)
	if len(left) > 1 || len(left) == 1 && left[0].Name() != "s" {
		t.Errorf("left %v, want nothing but the socket", left)
	}
}

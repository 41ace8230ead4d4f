package confined

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// text is real input, in lines: the sources of one package of Go, or with
// CAROUSEL_REAL all of the toolchain's.
func text(t *testing.T) []byte {
	t.Helper()
	b, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var sources = sync.OnceValues(func() ([]byte, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(strings.TrimSpace(string(root)), "src")
	if !real() {
		dir = filepath.Join(dir, "net", "http")
	}
	var all []byte
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Ext(name) != ".go" {
			return err
		}
		b, err := os.ReadFile(name)
		if len(b) > 0 && b[len(b)-1] != '\n' {
			b = append(b, '\n')
		}
		all = append(all, b...)
		return err
	})
	return all, err
})

// binaryRecords is the same as records of up to a few KiB with their lengths
// before them.
func binaryRecords(b []byte) (out []byte) {
	for n := 1; len(b) > 0; n = n*7%4093 + 1 {
		n := min(n, len(b))
		out = binary.LittleEndian.AppendUint32(out, uint32(n))
		out = append(out, b[:n]...)
		b = b[n:]
	}
	return out
}

func TestInput(t *testing.T) {
	b := text(t)
	if len(b) < 1<<20 || b[len(b)-1] != '\n' {
		t.Errorf("%d bytes of input, wanted a MiB at least, in lines", len(b))
	}
	t.Logf("%d bytes in %d lines", len(b), bytes.Count(b, []byte("\n")))
}

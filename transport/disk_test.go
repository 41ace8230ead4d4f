package transport

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Of the media that have a place in a file system, file: and log: alone put
// records there. What the others hold is in memory, and gone with the power.
func TestOnlyFilesAndLogsAreOnADisk(t *testing.T) {
	urls := media(t)
	urls["log"] = logURL(t)
	record := []byte("a record that is looked for in every file")
	for medium, url := range urls {
		_, path, _ := strings.Cut(url, "://")
		if !filepath.IsAbs(path) {
			continue
		}
		t.Run(medium, func(t *testing.T) {
			p := created(t, url, ProducerConfig{})
			b, err := p.Reserve(t.Context(), Header{}, len(record))
			if err != nil {
				t.Fatal(err)
			}
			copy(b, record)
			if err := p.Commit(); err != nil {
				t.Fatal(err)
			}
			found := false
			err = filepath.WalkDir(filepath.Dir(path), func(path string, d fs.DirEntry, err error) error {
				if err != nil || !d.Type().IsRegular() {
					return err
				}
				b, err := os.ReadFile(path)
				found = found || bytes.Contains(b, record)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if want := medium == "file" || medium == "log"; found != want {
				t.Errorf("in a file: %v, want %v", found, want)
			}
		})
	}
}

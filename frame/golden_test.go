package frame

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// golden reads one vector: lines of hexadecimal bytes, and comments from # on.
// The vectors were made by another program than this package, down to a CRC32C
// computed bit by bit; they are the format, and only a new version changes
// them.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "golden", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

var goldenFrames = map[string]Record{
	"frame-empty":     NewRecord(1, 0, 0, []byte{}),
	"frame-short":     NewRecord(2, 7, 0, []byte("hello")),
	"frame-exact":     NewRecord(3, 0xffff, 0, []byte("0123456789abcdef")),
	"frame-crc":       NewRecord(2, 7, CRC, []byte("hello")),
	"frame-crc-empty": NewRecord(1, 0, CRC, []byte{}),
	"frame-crc-spill": NewRecord(0x0102030405060708, 0x0a0b, CRC, []byte("thirteen byte")),
	"frame-pad":       NewRecord(9, 0, Pad, []byte("old lap's bytes!")),
	"frame-eos":       NewRecord(10, 0, EOS, []byte{3, 0, 0, 0, 0, 0, 0, 0}),
	"frame-eos-crc":   NewRecord(10, 0, EOS|CRC, []byte{3, 0, 0, 0, 0, 0, 0, 0}),
	"frame-more":      NewRecord(4, 1, More, []byte("first part")),
	"frame-more-cont": NewRecord(5, 1, More|Cont, []byte("middle")),
	"frame-cont":      NewRecord(6, 1, Cont, []byte("last")),
	"frame-ignored":   NewRecord(7, 0, 0x80, []byte("x")),
}

func TestGoldenFrames(t *testing.T) {
	for name, want := range goldenFrames {
		t.Run(name, func(t *testing.T) {
			b := golden(t, name)
			if got := Append(nil, want); !bytes.Equal(got, b) {
				t.Errorf("encoded:\n%swanted:\n%s", hex.Dump(got), hex.Dump(b))
			}
			got, n, err := Decode(b, MaxPayload)
			if err != nil {
				t.Fatal(err)
			}
			if n != len(b) {
				t.Errorf("decoded %d bytes, wanted %d", n, len(b))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("decoded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryGoldenFileIsTested(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.hex")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".hex")
		if _, ok := goldenFrames[name]; !ok && name != "preamble" && name != "stream" {
			t.Errorf("%s is read by no test", f)
		}
	}
}

func TestGoldenPreamble(t *testing.T) {
	b := golden(t, "preamble")
	want := Preamble{Version: Version, Epoch: 2, First: 1001}
	if got := want.Append(nil); !bytes.Equal(got, b) {
		t.Errorf("encoded:\n%swanted:\n%s", hex.Dump(got), hex.Dump(b))
	}
	got, err := DecodePreamble(b)
	if err != nil || got != want {
		t.Errorf("decoded %+v, %v; wanted %+v", got, err, want)
	}
}

func TestGoldenStream(t *testing.T) {
	records := []Record{
		NewRecord(1, 0, CRC, []byte("one")),
		NewRecord(2, 0, EOS|CRC, []byte{1, 0, 0, 0, 0, 0, 0, 0}),
	}
	b := golden(t, "stream")
	if got := writeStream(t, Preamble{Epoch: 1, First: 1}, records...); !bytes.Equal(got, b) {
		t.Errorf("written:\n%swanted:\n%s", hex.Dump(got), hex.Dump(b))
	}
	got, err := readAll(NewReader(bytes.NewReader(b), MaxPayload))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(records, got); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
}

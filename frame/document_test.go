package frame

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/carousel-ipc/carousel/internal/vectors"
)

// The frames that docs/format.md shows are golden files, to which the other
// tests hold the code.
func TestDocumentShowsGoldenVectors(t *testing.T) {
	shown, err := vectors.Read("../docs/format.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for name, b := range shown {
		if !strings.HasPrefix(name, "frame-") && name != "preamble" && name != "stream" {
			continue // package ring has the others
		}
		n++
		if want := golden(t, name); !bytes.Equal(b, want) {
			t.Errorf("%s: the document has\n%swanted\n%s", name, hex.Dump(b), hex.Dump(want))
		}
	}
	if n < 6 {
		t.Errorf("%d vectors of frames and streams in the document, wanted 6", n)
	}
}

//go:build mips || mips64 || ppc64 || s390x

package transport

import (
	"errors"
	"strings"
	"testing"
)

// On a big-endian machine no ring can be made or opened, and it is said why at
// once.
func TestBigEndianMachineIsRefused(t *testing.T) {
	for medium, url := range media(t) {
		if medium != "shm" && medium != "file" && medium != "memfd" {
			continue // a stream's consumer has no ring
		}
		_, err1 := Create(url, ProducerConfig{})
		_, err2 := Open(t.Context(), url, ConsumerConfig{})
		_, err3 := Inspect(url)
		for _, err := range []error{err1, err2, err3} {
			if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "wanted a little-endian machine, found") {
				t.Errorf("%s: got %v, want ErrUnsupported about a big-endian machine", medium, err)
			}
		}
		t.Log(err1)
	}
}

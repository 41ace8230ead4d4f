//go:build !linux || carousel_portable

package shm_test

import (
	"errors"
	"testing"

	"github.com/carousel-ipc/carousel/shm"
)

// A lock of the path is one of the file that has the path: whoever has an older
// one open, which was removed, is not told that its holder lives on.
func TestLocksOfARemovedFile(t *testing.T) {
	path := t.TempDir() + "/segment"
	old := publishAs(t, path, 4096)
	l, err := old.TryLock(0)
	if err != nil {
		t.Fatal(err)
	}
	if is, err := old.Held(0); !is || err != nil {
		t.Errorf("held: %v, %v", is, err)
	}
	if err := errors.Join(old.Remove(), l.Unlock()); err != nil {
		t.Fatal(err)
	}
	next := publishAs(t, path, 4096)
	if l, err = next.TryLock(0); err != nil {
		t.Fatal(err)
	}
	defer l.Unlock()
	for f, want := range map[*shm.File]bool{old: false, next: true} {
		if is, err := f.Held(0); is != want || err != nil {
			t.Errorf("held: %v, %v, wanted %v", is, err, want)
		}
	}
}

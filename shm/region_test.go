package shm_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/carousel-ipc/carousel/shm"
)

func TestHeap(t *testing.T) {
	for _, size := range []int{1, 4095, 4096, 1 << 20} {
		r := shm.Heap(size)
		checkRegion(t, r, size)
	}
}

// Blank gives the pages of a region back, and no others.
func TestHeapBlank(t *testing.T) {
	if !shm.CanBlank {
		t.Skip("SKIP: nothing is blanked here")
	}
	var all []*shm.Region
	for i := range 64 {
		r := shm.Heap(1 + i*977)
		all = append(all, r)
		copy(r.Bytes(), bytes.Repeat([]byte{7}, 64*977))
	}
	for i, r := range all {
		if i%2 == 0 {
			if err := r.Blank(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, r := range all {
		b := r.Bytes()
		if want := byte(7 * (i % 2)); !bytes.Equal(b, bytes.Repeat([]byte{want}, len(b))) {
			t.Errorf("region %d of %d bytes is not all %d", i, len(b), want)
		}
	}
}

func TestAnonymous(t *testing.T) {
	r, err := shm.Anonymous(3 * 4096)
	if err != nil {
		t.Fatal(err)
	}
	checkRegion(t, r, 3*4096)
	for _, size := range []int{0, -1} {
		if _, err := shm.Anonymous(size); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("size %d: %v", size, err)
		}
	}
}

// checkRegion looks at a new region through its whole life.
func checkRegion(t *testing.T, r *shm.Region, size int) {
	t.Helper()
	b := r.Bytes()
	if len(b) != size || addressOf(b)%4096 != 0 {
		t.Fatalf("found %d bytes at %#x, wanted %d at a page boundary", len(b), addressOf(b), size)
	}
	if !bytes.Equal(b, make([]byte, size)) {
		t.Error("not zeroed")
	}
	b[0], b[size-1] = 1, 2
	if err := r.Sync(); err != nil {
		t.Error(err)
	}
	if err := r.Blank(); err != nil {
		t.Error(err)
	}
	b[0] = 3
	if b[0] != 3 {
		t.Error("memory cannot be stored into after Blank")
	}
	for range 2 {
		if err := r.Unmap(); err != nil {
			t.Error(err)
		}
	}
	if r.Bytes() != nil {
		t.Error("there is memory after Unmap")
	}
	if err := errors.Join(r.Blank(), r.Sync()); err != nil {
		t.Errorf("after Unmap: %v", err)
	}
}

func TestMap(t *testing.T) {
	maps := map[string]func(*shm.File, shm.Access) (*shm.Region, error){
		"Map": (*shm.File).Map, "MapFile": (*shm.File).MapFile,
	}
	for name, do := range maps {
		t.Run(name, func(t *testing.T) {
			const size = 2*4096 + 100
			f := publish(t, size)
			mine, err := do(f, shm.ReadWrite)
			if err != nil {
				t.Fatal(err)
			}
			g := open(t, f.Path(), shm.ReadOnly)
			if _, err := do(g, shm.ReadWrite); !errors.Is(err, fs.ErrPermission) {
				t.Errorf("read-write map of a file opened read-only: %v", err)
			}
			theirs, err := do(g, shm.ReadOnly)
			if err != nil {
				t.Fatal(err)
			}
			_ = f.Close()
			_ = g.Close()
			if _, err := do(f, shm.ReadOnly); !errors.Is(err, os.ErrClosed) {
				t.Errorf("map after Close: %v", err)
			}
			view := theirs.Bytes()
			mine.Bytes()[size-1] = 7
			if len(view) != size || view[size-1] != 7 {
				t.Errorf("found %d bytes that end with %d", len(view), view[len(view)-1])
			}
			if err := mine.Sync(); err != nil {
				t.Error(err)
			}
			for _, r := range []*shm.Region{theirs, mine} {
				if err := r.Unmap(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestMapTruncated(t *testing.T) {
	f := publish(t, 2*4096)
	if err := os.Truncate(f.Path(), 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Map(shm.ReadOnly); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("found %v", err)
	}
}

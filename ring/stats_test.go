package ring

import (
	"path/filepath"
	"testing"
)

// A ring has one ID for all who look, and one that is made anew has another:
// its records are numbered from 1 again.
func TestStatsTellRingsApart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	made := func() string {
		t.Helper()
		r, err := CreateFile(path, Config{Capacity: MinCapacity})
		must(t, err)
		defer r.Close()
		p, err := r.NewProducer()
		must(t, err)
		defer p.Close()
		if p.Sequence() != 1 {
			t.Errorf("the first record is %d, want 1", p.Sequence())
		}
		other, err := OpenFile(path)
		must(t, err)
		defer other.Close()
		id := identity(t, r.Stats)
		if found := identity(t, p.Stats); found != id || len(id) != 32 {
			t.Errorf("ring %q, producer %q, want one ID of 32 digits", id, found)
		}
		if found := identity(t, other.Stats); found != id {
			t.Errorf("opened: found ID %s, want %s", found, id)
		}
		return id
	}
	first := made()
	must(t, RemoveFile(path))
	if second := made(); second == first {
		t.Errorf("two rings have the ID %s", first)
	}
}

func identity(t *testing.T, look func() (Stats, error)) string {
	t.Helper()
	s, err := look()
	must(t, err)
	return s.ID
}

package shm_test

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carousel-ipc/carousel/shm"
)

func TestCreatePublishOpen(t *testing.T) {
	path := t.TempDir() + "/segment"
	const size = 3*4096 + 16
	f, err := shm.Create(path, size, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := shm.Open(path, shm.ReadOnly); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before Publish, Open says %v", err)
	}
	if named, err := f.Named(); named || err != nil {
		t.Errorf("before Publish: named %v, %v", named, err)
	}
	if err := f.Publish(); err != nil {
		t.Fatal(err)
	}
	if err := f.Publish(); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a second Publish says %v", err)
	}
	if named, err := f.Named(); !named || err != nil {
		t.Errorf("after Publish: named %v, %v", named, err)
	}
	g := open(t, path, shm.ReadOnly)
	if f.Size() != size || g.Size() != size || g.Path() != path {
		t.Errorf("found sizes %d and %d and path %s", f.Size(), g.Size(), g.Path())
	}
	if found := folder(t, path); !slices.Equal(found, []string{"segment"}) {
		t.Errorf("the folder has %q", found)
	}
}

func TestCreateIgnoresUmask(t *testing.T) {
	defer setUmask(0o777)()
	f := publish(t, 1)
	info, err := os.Lstat(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("found mode %v", info.Mode())
	}
}

func TestCreateRefusesSize(t *testing.T) {
	for _, size := range []int64{0, -1} {
		if _, err := shm.Create(t.TempDir()+"/segment", size, 0o600); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("size %d: %v", size, err)
		}
	}
	path := t.TempDir() + "/segment"
	_, err := shm.Create(path, 1<<60, 0o600)
	if !errors.Is(err, shm.ErrNoSpace) && !errors.Is(err, shm.ErrTooLarge) {
		t.Errorf("a size of 1<<60: %v", err)
	}
	t.Log(err)
	if _, err := shm.Create(t.TempDir()+"/no/segment", 1, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that does not exist: %v", err)
	}
}

func TestCloseUnpublished(t *testing.T) {
	path := t.TempDir() + "/segment"
	f, err := shm.Create(path, 4096, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	if err := f.Publish(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Publish after Close: %v", err)
	}
	if found := folder(t, path); len(found) > 0 {
		t.Errorf("the folder has %q", found)
	}
}

func TestPublishTaken(t *testing.T) {
	old := publish(t, 1)
	f, err := shm.Create(old.Path(), 2, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Publish(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Publish says %v", err)
	}
	if named, _ := old.Named(); !named {
		t.Error("the old file lost its name")
	}
	if err := f.Replace(); err != nil {
		t.Fatal(err)
	}
	if named, _ := old.Named(); named {
		t.Error("the old file has its name after Replace")
	}
	if got := open(t, f.Path(), shm.ReadOnly).Size(); got != 2 {
		t.Errorf("found size %d", got)
	}
	if found := folder(t, f.Path()); !slices.Equal(found, []string{"segment"}) {
		t.Errorf("the folder has %q", found)
	}
}

func TestReplaceNothing(t *testing.T) {
	f, err := shm.Create(t.TempDir()+"/segment", 1, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Replace(); err != nil {
		t.Error(err)
	}
	open(t, f.Path(), shm.ReadWrite)
}

func TestRemove(t *testing.T) {
	old := publish(t, 1)
	f := open(t, old.Path(), shm.ReadOnly)
	if err := f.Remove(); err != nil {
		t.Error(err)
	}
	if err := f.Remove(); err != nil {
		t.Errorf("a second Remove: %v", err)
	}
	other := publishAs(t, old.Path(), 1)
	if err := old.Remove(); err != nil {
		t.Errorf("Remove when the name is another file's: %v", err)
	}
	if named, err := other.Named(); !named || err != nil {
		t.Errorf("the other file: named %v, %v", named, err)
	}
}

func TestReadAt(t *testing.T) {
	f := publish(t, 4096)
	r, err := f.Map(shm.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Unmap()
	copy(r.Bytes()[100:], "carousel")
	b := make([]byte, 8)
	if _, err := open(t, f.Path(), shm.ReadOnly).ReadAt(b, 100); err != nil || string(b) != "carousel" {
		t.Errorf("found %q, %v", b, err)
	}
}

func TestNamedDir(t *testing.T) {
	dir, err := shm.NamedDir()
	if err != nil && !(errors.Is(err, shm.ErrNoNamedDir) && errors.Is(err, errors.ErrUnsupported)) {
		t.Errorf("found %q, %v", dir, err)
	}
	t.Log(dir, err)
}

func TestBootID(t *testing.T) {
	want, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Skip("SKIP: this system has no id of its boot: ", err)
	}
	id := shm.BootID()
	if found := hex.EncodeToString(id[:]); found != strings.ReplaceAll(strings.TrimSpace(string(want)), "-", "") {
		t.Errorf("found %s, wanted %s", found, want)
	}
}

// folder lists what is in the folder of path.
func folder(t *testing.T, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

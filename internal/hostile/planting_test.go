//go:build linux && !carousel_portable

package hostile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/internal/leak"
	"github.com/carousel-ipc/carousel/ring"
)

const sharedDir = "/dev/shm/"

// plants is what somebody may put where a ring's file is expected. Each is made
// at path; victim is what must not be touched by way of it.
var plants = []struct {
	name  string
	plant func(path, victim string) error
}{
	{"symbolic link", func(path, victim string) error { return os.Symlink(victim, path) }},
	{"dangling symbolic link", func(path, victim string) error { return os.Symlink(victim+".none", path) }},
	{"hard link", func(path, victim string) error { return os.Link(victim, path) }},
	{"FIFO", func(path, _ string) error { return unix.Mkfifo(path, 0o600) }},
	{"folder", func(path, _ string) error { return os.Mkdir(path, 0o700) }},
	{"device", func(path, _ string) error { return unix.Mknod(path, unix.S_IFCHR|0o600, 1<<8|3) }},
	{"file of another user", func(path, victim string) error {
		return errors.Join(copyFile(path, victim), os.Chown(path, nobody, nobody))
	}},
	{"file that all may write", func(path, victim string) error {
		return errors.Join(copyFile(path, victim), os.Chmod(path, 0o666))
	}},
}

func copyFile(path, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// newRing makes a named ring, and what removes all of it.
func newRing(t *testing.T, suffix string) (name string) {
	t.Helper()
	name = leak.Prefix() + suffix
	r, err := ring.Create(name, ring.Config{Capacity: ring.MinCapacity, Slots: 2})
	must(t, err)
	must(t, r.Close())
	t.Cleanup(func() {
		for _, suffix := range []string{".ring", ".slots", ".ring.none"} {
			_ = os.RemoveAll(sharedDir + name + suffix)
		}
	})
	return name
}

func protections() string {
	var said []string
	for _, name := range []string{"protected_symlinks", "protected_hardlinks", "protected_fifos", "protected_regular"} {
		text, err := os.ReadFile("/proc/sys/fs/" + name)
		said = append(said, fmt.Sprint(name, " ", strings.TrimSpace(string(text)), errText(err)))
	}
	return strings.Join(said, ", ")
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestPlanted is H4 without a race: what is not the user's own ring is neither
// opened, nor created over, nor removed, whatever it looks like.
func TestPlanted(t *testing.T) {
	needRoot(t)
	t.Log(protections())
	victim := sharedDir + newRing(t, "victim") + ".ring"
	before, err := os.ReadFile(victim)
	must(t, err)
	for _, p := range plants {
		for _, part := range []string{".ring", ".slots"} {
			name := newRing(t, "planted")
			path := sharedDir + name + part
			must(t, os.Remove(path))
			must(t, p.plant(path, victim))
			planted, err := os.Lstat(path)
			must(t, err)
			for act, do := range map[string]func() error{
				"open":   func() error { return opens(ring.Open(name)) },
				"create": func() error { return opens(ring.Create(name, ring.Config{Capacity: ring.MinCapacity, Slots: 2})) },
				"remove": func() error { return ring.Remove(name) },
			} {
				if err := do(); err == nil || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s at %s: %s: got %v, want a refusal", p.name, part, act, err)
				}
			}
			if now, err := os.Lstat(path); err != nil || !os.SameFile(now, planted) {
				t.Errorf("%s at %s: it is not there any more: %v", p.name, part, err)
			}
			must(t, os.RemoveAll(path))
			_ = os.Remove(sharedDir + name + ".ring")
			_ = os.Remove(sharedDir + name + ".slots")
		}
	}
	if now, err := os.ReadFile(victim); err != nil || string(now) != string(before) {
		t.Errorf("the victim has changed: %v", err)
	}
	if _, err := os.Lstat(victim + ".none"); err == nil {
		t.Error("a dangling link was followed")
	}
}

func opens(r *ring.Ring, err error) error {
	if err == nil {
		err = r.Close()
	}
	return err
}

// TestPlantedMeanwhile is H4 with a race: the name stands for the user's ring
// and for a plant in turns, as fast as it can be changed, while it is opened.
// What is opened must be the user's own, always. CAROUSEL_RACES is how often
// they are swapped.
func TestPlantedMeanwhile(t *testing.T) {
	needRoot(t)
	races := 2000
	if n, err := strconv.Atoi(os.Getenv("CAROUSEL_RACES")); err == nil {
		races = n
	}
	// The bait is the user's own ring once more, so that nothing but its owner,
	// or the link by which it was reached, tells the two apart.
	mine := newRing(t, "mine")
	path, trap := sharedDir+mine+".ring", sharedDir+mine+".bait"
	must(t, copyFile(trap, path))
	t.Cleanup(func() { _ = os.Remove(trap) })
	keep := filepath.Join(sharedDir, mine+".keep")
	must(t, os.Rename(path, keep))
	t.Cleanup(func() { _ = os.Remove(keep) })
	for _, p := range []struct {
		name string
		swap func(tmp string) error
	}{
		{"symbolic link", func(tmp string) error { return os.Symlink(trap, tmp) }},
		{"file of another user", func(tmp string) error { return errors.Join(copyFile(tmp, trap), os.Chown(tmp, nobody, nobody)) }},
		{"FIFO", func(tmp string) error { return unix.Mkfifo(tmp, 0o600) }},
	} {
		stop := make(chan struct{})
		var swapping sync.WaitGroup
		var swaps atomic.Int64
		plant := path + ".plant"
		must(t, p.swap(plant))
		must(t, os.Rename(keep, path))
		swapping.Go(func() {
			rng := rand.New(rand.NewPCG(1, 4))
			for {
				for range rng.IntN(400_000) { // each stands there for some time
				}
				select {
				case <-stop:
					return
				default:
					_ = unix.Renameat2(unix.AT_FDCWD, plant, unix.AT_FDCWD, path, unix.RENAME_EXCHANGE)
					swaps.Add(1)
				}
			}
		})
		opened, refused := 0, 0
		trapped := 0
		before := accessed(t, trap)
		for swaps.Load() < int64(races) {
			r, err := ring.Open(mine)
			if err != nil {
				refused++
				continue
			}
			opened++
			if p, err := r.NewProducer(); err == nil { // it would write to whatever it has
				_ = p.Close()
			}
			must(t, r.Close())
		}
		close(stop)
		swapping.Wait()
		for _, bait := range []string{trap, path, plant} {
			info, err := os.Lstat(bait)
			must(t, err)
			if info.Mode().IsRegular() && (bait == trap || !ownedByUs(info)) && accessed(t, bait) != before {
				trapped++
				t.Errorf("%s: the bait was written to", p.name)
			}
		}
		// Which of the two names stands for which is chance.
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && ownedByUs(info) {
			must(t, os.Rename(path, keep))
			must(t, os.Remove(plant))
		} else {
			must(t, os.Rename(plant, keep))
			must(t, os.Remove(path))
		}
		t.Logf("%s: %d opened, %d refused, %d successes of the attack (95%% bound %.0e)", p.name, opened, refused, trapped, 3/float64(races))
		if opened == 0 || refused == 0 {
			t.Logf("%s: no race in this run", p.name)
		}
	}
}

func ownedByUs(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}

// accessed is what shows that somebody has written: all bytes.
func accessed(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

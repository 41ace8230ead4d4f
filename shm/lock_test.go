package shm_test

import (
	"errors"
	"os/exec"
	"runtime"
	"sync"
	"testing"

	"github.com/carousel-ipc/carousel/shm"
)

func TestLocksOfOneProcessConflict(t *testing.T) {
	f := publish(t, 4096)
	g := open(t, f.Path(), shm.ReadOnly)
	wantHeld(t, g, 1, false)
	l, err := g.TryLock(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []*shm.File{f, g} {
		wantHeld(t, file, 1, true)
		wantHeld(t, file, 0, false)
		wantHeld(t, file, 2, false)
		if l, err := file.TryLock(1); !errors.Is(err, shm.ErrLocked) {
			t.Errorf("a second lock: %v, %v", l, err)
		}
	}
	other, err := f.TryLock(2)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Unlock(), l.Unlock()); err != nil {
		t.Error(err)
	}
	wantHeld(t, f, 1, false)
	wantHeld(t, f, 2, true)
	if err := other.Unlock(); err != nil {
		t.Error(err)
	}
	wantHeld(t, f, 2, false)
	if found := folder(t, f.Path()); len(found) != 1 {
		t.Errorf("the folder has %q", found)
	}
	if err := (*shm.Lock)(nil).Unlock(); err != nil {
		t.Error(err)
	}
	if _, err := f.TryLock(-1); err == nil {
		t.Error("a role of -1 is accepted")
	}
}

// TestLockOutlivesFile has a lock forgotten by everything but its purpose.
func TestLockOutlivesFile(t *testing.T) {
	f := publish(t, 4096)
	g := open(t, f.Path(), shm.ReadWrite)
	if _, err := g.TryLock(3); err != nil {
		t.Fatal(err)
	}
	r, err := g.Map(shm.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	_ = g.Close()
	_ = r.Unmap()
	for range 3 {
		runtime.GC()
	}
	wantHeld(t, f, 3, true)
}

func TestLockUnpublished(t *testing.T) {
	path := t.TempDir() + "/segment"
	f, err := shm.Create(path, 4096, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l, err := f.TryLock(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Unlock()
	if err := f.Publish(); err != nil {
		t.Fatal(err)
	}
	wantHeld(t, open(t, path, shm.ReadOnly), 0, true)
}

// TestOneHolder has many try for one lock while others look: one holds it at a
// time, and somebody always gets it.
func TestOneHolder(t *testing.T) {
	f := publish(t, 4096)
	var all sync.WaitGroup
	var holder sync.Mutex
	var taken [4]int
	for i := range taken {
		all.Go(func() {
			for range 300 {
				l, err := f.TryLock(1)
				switch {
				case err == nil:
					if !holder.TryLock() {
						t.Error("two hold the lock")
						return
					}
					taken[i]++
					holder.Unlock()
					if err := l.Unlock(); err != nil {
						t.Error(err)
					}
				case !errors.Is(err, shm.ErrLocked):
					t.Error(err)
				}
				if _, err := f.Held(1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	t.Log("taken", taken)
	if taken == [4]int{} {
		t.Error("nobody got it")
	}
}

func TestLockOfKilledProcess(t *testing.T) {
	f := publish(t, 4096)
	c := startChild(t, "hold", f.Path())
	wantHeld(t, f, 1, true)
	if _, err := f.TryLock(1); !errors.Is(err, shm.ErrLocked) {
		t.Errorf("TryLock says %v", err)
	}
	c.kill()
	wantHeld(t, f, 1, false)
	l, err := f.TryLock(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
	if found := folder(t, f.Path()); len(found) != 1 {
		t.Errorf("the folder has %q", found)
	}
}

// TestRemoveSweepsLocks leaves nothing of a killed holder behind.
func TestRemoveSweepsLocks(t *testing.T) {
	f := publish(t, 4096)
	startChild(t, "hold", f.Path()).kill()
	if err := f.Remove(); err != nil {
		t.Error(err)
	}
	if found := folder(t, f.Path()); len(found) > 0 {
		t.Errorf("the folder has %q", found)
	}
}

// TestChildrenDoNotInherit starts processes while locks are taken: they must
// not keep them.
func TestChildrenDoNotInherit(t *testing.T) {
	f := publish(t, 4096)
	r, err := f.Map(shm.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Unmap()
	l, err := f.TryLock(1)
	if err != nil {
		t.Fatal(err)
	}
	c := startChild(t, "idle")
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
	wantHeld(t, f, 1, false)
	wantNotInherited(t, c.cmd.Process.Pid, f.Path())
	if sleep, err := exec.LookPath("sleep"); err == nil {
		l, err := f.TryLock(1)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(sleep, "60")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
		wantNotInherited(t, cmd.Process.Pid, f.Path())
		if err := l.Unlock(); err != nil {
			t.Error(err)
		}
		wantHeld(t, f, 1, false)
	}
}

func wantHeld(t *testing.T, f *shm.File, role int, want bool) {
	t.Helper()
	if is, err := f.Held(role); is != want || err != nil {
		t.Errorf("Held(%d) is %v, %v; wanted %v", role, is, err, want)
	}
}

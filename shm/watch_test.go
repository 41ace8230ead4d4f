package shm_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

func TestWatchTellsOfKilledHolder(t *testing.T) {
	f := publish(t, 4096)
	rounds := 30
	if testing.Short() {
		rounds = 3
	}
	var took []time.Duration
	for range rounds {
		c := startChild(t, "hold", f.Path())
		free := make(chan time.Time, 1)
		stop := f.Watch(func() {
			if is, err := f.Held(1); !is && err == nil {
				select {
				case free <- time.Now():
				default:
				}
			}
		})
		wantHeld(t, f, 1, true)
		begin := time.Now()
		_ = c.cmd.Process.Kill()
		select {
		case at := <-free:
			took = append(took, at.Sub(begin))
		case <-time.After(enough):
			t.Fatal("the death went unnoticed")
		}
		c.kill()
		stop()
	}
	slices.Sort(took)
	t.Logf("from kill to notice, %d kills: median %v, worst %v", rounds, took[len(took)/2], took[len(took)-1])
	if worst := took[len(took)-1]; worst > time.Second {
		t.Errorf("worst %v", worst)
	}
}

func TestWatchTellsOfUnlock(t *testing.T) {
	f := publish(t, 4096)
	l, err := f.TryLock(1)
	if err != nil {
		t.Fatal(err)
	}
	var free atomic.Bool
	stop := f.Watch(func() {
		if is, err := f.Held(1); !is && err == nil {
			free.Store(true)
		}
	})
	defer stop()
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "told of the unlock", free.Load)
}

// TestWatchesOfOneInode stops watches one after the other: what is left still
// works, also when the files are opened separately or removed.
func TestWatchesOfOneInode(t *testing.T) {
	f := publish(t, 4096)
	const n = 3
	var calls [n]atomic.Int64
	var stops [n]func()
	for i := range n {
		stops[i] = open(t, f.Path(), shm.ReadOnly).Watch(func() { calls[i].Add(1) })
	}
	if err := f.Remove(); err != nil {
		t.Fatal(err)
	}
	for gone := range n {
		var before [n]int64
		for i := range n {
			before[i] = calls[i].Load()
		}
		if l, err := f.TryLock(5); err != nil {
			t.Fatal(err)
		} else if err := l.Unlock(); err != nil {
			t.Fatal(err)
		}
		for i := gone; i < n; i++ {
			eventually(t, "each remaining watch is told", func() bool { return calls[i].Load() > before[i] })
		}
		for i := range gone {
			if calls[i].Load() != before[i] {
				t.Errorf("watch %d was called after its stop", i)
			}
		}
		stops[gone]()
		stops[gone]() // does nothing
	}
}

// TestWatchesOfManyFiles tells files apart.
func TestWatchesOfManyFiles(t *testing.T) {
	f, g := publish(t, 4096), publish(t, 4096)
	var ofF, ofG atomic.Int64
	defer f.Watch(func() { ofF.Add(1) })()
	defer g.Watch(func() { ofG.Add(1) })()
	touch := func(f *shm.File) {
		l, err := f.TryLock(1)
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Unlock()
	}
	touch(f)
	eventually(t, "told of f", func() bool { return ofF.Load() > 0 })
	touch(g)
	eventually(t, "told of g", func() bool { return ofG.Load() > 0 })
}

func TestStopWaits(t *testing.T) {
	f := publish(t, 4096)
	began, release := make(chan struct{}, 100), make(chan struct{})
	var running atomic.Bool
	stop := f.Watch(func() {
		running.Store(true)
		began <- struct{}{}
		<-release
		running.Store(false)
	})
	l, err := f.TryLock(1)
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Unlock()
	<-began
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Error("stop returned while fn was running")
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	<-stopped
	if running.Load() {
		t.Error("fn is running after stop")
	}
}

// TestStopFromWithin stops a watch, and another one, in the call itself.
func TestStopFromWithin(t *testing.T) {
	f := publish(t, 4096)
	var calls atomic.Int64
	stops := make(chan func(), 2)
	done := make(chan struct{})
	stops <- f.Watch(func() {})
	stops <- f.Watch(func() {
		calls.Add(1)
		(<-stops)()
		(<-stops)()
		close(done)
	})
	l, err := f.TryLock(1)
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Unlock()
	<-done
	time.Sleep(30 * time.Millisecond)
	if n := calls.Load(); n != 1 {
		t.Errorf("called %d times", n)
	}
}

// TestWatchWithoutEvents watches a file that is closed already: nothing tells
// of it, and fn is called all the same.
func TestWatchWithoutEvents(t *testing.T) {
	f := publish(t, 4096)
	_ = f.Close()
	var calls atomic.Int64
	stop := f.Watch(func() { calls.Add(1) })
	eventually(t, "called twice", func() bool { return calls.Load() >= 2 })
	stop()
}

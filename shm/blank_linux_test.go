//go:build linux && !carousel_portable

package shm_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/carousel-ipc/carousel/shm"
)

// TestBlank reads and stores all the while through a view that is blanked:
// nothing faults, and afterwards nothing passes between it and the file.
func TestBlank(t *testing.T) {
	const size = 4 * 4096
	f := publish(t, size)
	for _, do := range []func(*shm.File, shm.Access) (*shm.Region, error){(*shm.File).Map, (*shm.File).MapFile} {
		for _, a := range []shm.Access{shm.ReadWrite, shm.ReadOnly} {
			live, err := do(f, shm.ReadWrite)
			if err != nil {
				t.Fatal(err)
			}
			stale, err := do(f, a)
			if err != nil {
				t.Fatal(err)
			}
			live.Bytes()[5000] = 9
			view := stale.Bytes()
			var over atomic.Bool
			var reader sync.WaitGroup
			var sum byte
			reader.Go(func() {
				for !over.Load() {
					for i := 0; i < size; i += 4096 {
						sum += view[i]
						if a == shm.ReadWrite {
							view[i+1]++
						}
					}
				}
			})
			for range 200 {
				if err := stale.Blank(); err != nil {
					t.Fatal(err)
				}
			}
			over.Store(true)
			reader.Wait()
			t.Logf("read %d", sum)
			if view[5000] != 0 {
				t.Errorf("the view reads %d after Blank", view[5000])
			}
			if a == shm.ReadWrite {
				view[5000] = 1
			}
			if live.Bytes()[5000] != 9 {
				t.Errorf("the file reads %d", live.Bytes()[5000])
			}
			if err := stale.Sync(); err != nil {
				t.Error(err)
			}
			for _, r := range []*shm.Region{stale, live} {
				if err := r.Unmap(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

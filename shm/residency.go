package shm

import (
	"fmt"
	"sync/atomic"

	"github.com/edsrzf/mmap-go"
)

// Prefault brings every page of the region into this process's page tables, so
// that no later access pays for a fault.
func (r *Region) Prefault() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.b) == 0 {
		return nil
	}
	if err := populate(r.b, r.access); err != nil {
		return fmt.Errorf("shm: prefault %d bytes: %w", len(r.b), err)
	}
	return nil
}

// Lock keeps the region's pages in memory until Unmap, within RLIMIT_MEMLOCK.
func (r *Region) Lock() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.b) == 0 {
		return nil
	}
	if err := mmap.MMap(r.b).Lock(); err != nil {
		return fmt.Errorf("shm: lock %d bytes in memory (see RLIMIT_MEMLOCK): %w", len(r.b), err)
	}
	return nil
}

var touched atomic.Uint32 // keeps the reads of touch from being removed

// touch reads a byte of every page.
func touch(b []byte) {
	var x byte
	for i := 0; i < len(b); i += 4096 {
		x ^= b[i]
	}
	touched.Store(uint32(x))
}

package ring

import (
	"fmt"
	"runtime"
	"sync"

	"github.com/carousel-ipc/carousel/shm"
)

// mapped is memory of a named ring's file. Whoever may write to the file may
// truncate it, and then the memory faults; so it is known by its addresses.
type mapped struct {
	*shm.Region
	file     *shm.File
	each     bool // each call of a handle is guarded by itself
	from, to uintptr
	owner    *section // of the one handle that uses it; nil: many look at it
}

var mappings = struct {
	sync.Mutex
	all map[*mapped]struct{}
}{all: map[*mapped]struct{}{}}

func newMapped(r *shm.Region, f *shm.File, each bool) *mapped {
	from := address(r.Bytes())
	m := &mapped{Region: r, file: f, each: each, from: from, to: from + uintptr(len(r.Bytes()))}
	mappings.Lock()
	defer mappings.Unlock()
	mappings.all[m] = struct{}{}
	return m
}

func (m *mapped) Unmap() error {
	mappings.Lock()
	delete(mappings.all, m)
	mappings.Unlock()
	return m.Region.Unmap()
}

// ownedBy is called before the handle is anybody's.
func (m *mapped) ownedBy(s *section) {
	mappings.Lock()
	defer mappings.Unlock()
	m.owner = s
}

// faulted is the error for what was recovered, if that is a fault in the memory
// of a file; nil: it is something else. The handle whose memory it was is of no
// use any more, and what its user still holds reads zeros from here on.
func faulted(recovered any) error {
	fault, ok := recovered.(interface {
		runtime.Error
		Addr() uintptr
	})
	if !ok {
		return nil
	}
	at := fault.Addr()
	mappings.Lock()
	defer mappings.Unlock()
	for m := range mappings.all {
		if at < m.from || at >= m.to {
			continue
		}
		return m.gone(m.truncated(uint64(at - m.from)))
	}
	return nil
}

// gone is called with the mappings locked.
func (m *mapped) gone(why error) error {
	if m.owner != nil {
		m.owner.lose(why)
		_ = m.Blank() // where it fails the next touch faults anew
	}
	return why
}

// intact looks whether the files behind a handle's memory are as long as they
// were, for those who wait and touch none of it.
func (a *attachment) intact() error {
	for _, r := range a.regions {
		m, ok := r.(*mapped)
		if !ok {
			continue
		}
		if found, err := m.file.Now(); err == nil && found < m.file.Size() {
			mappings.Lock()
			defer mappings.Unlock()
			return m.gone(m.truncated(uint64(found)))
		}
	}
	return nil
}

// truncated says what was wanted of the file, and what it has.
func (m *mapped) truncated(at uint64) error {
	found, err := m.file.Now()
	switch {
	case err != nil:
		return fmt.Errorf("%w: wanted byte %d of %s: %w", ErrTruncated, at, m.file.Path(), err)
	case found < m.file.Size():
		return fmt.Errorf("%w: %s has %d bytes, want the %d that it was opened with", ErrTruncated, m.file.Path(), found, m.file.Size())
	}
	// A disk that is full or broken behind a hole, or truncated and grown again.
	return fmt.Errorf("%w: %s has nothing behind byte %d of %d", ErrTruncated, m.file.Path(), at, found)
}

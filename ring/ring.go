package ring

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/carousel-ipc/carousel/shm"
)

// A Ring is an open ring without a role in it: from it come a producer,
// consumers and statistics. Any goroutine may use it. The handles made from it
// live on after Close.
type Ring struct {
	backing backing
	cfg     Config // what it was made or created with, for the handles made from it

	mu     sync.Mutex
	users  int // calls in flight
	closed bool
	view   attachment // both segments, to look at
}

// Size is how many bytes Format needs for a ring with this configuration. The
// error is ErrConfig.
func Size(cfg Config) (int, error) {
	geo, err := cfg.geometry()
	if err != nil {
		return 0, err
	}
	return int(geo.broadcastSize() + geo.slotsSize()), nil
}

// Format makes an empty ring in mem, which must be zero, 8-byte aligned and at
// least Size long. Handles of one process meet on it, as goroutines; the
// caller keeps mem alive and in place until all are closed. Errors are
// ErrConfig and, of the memory, ErrFormat.
func Format(mem []byte, cfg Config) (*Ring, error) {
	geo, err := cfg.geometry()
	if err != nil {
		return nil, err
	}
	if err := checkMemory(mem, geo); err != nil {
		return nil, err
	}
	id := newID()
	n := geo.broadcastSize()
	formatSlots(segmentOf(mem[n:]), geo, id)
	formatBroadcast(segmentOf(mem), geo, id, origin)
	r, err := Attach(mem)
	if err == nil {
		r.cfg = cfg
	}
	return r, err
}

// Attach opens the ring that Format made in mem. What is no such ring is
// ErrFormat.
func Attach(mem []byte) (*Ring, error) {
	geo, err := readGeometry(mem)
	if err != nil {
		return nil, err
	}
	if err := checkMemory(mem, geo); err != nil {
		return nil, err
	}
	if err := checkSlots(mem[geo.broadcastSize():], geo, creationOf(mem)); err != nil {
		return nil, err
	}
	return open(newMemoryBacking(mem, geo), geo)
}

// Anonymous makes a ring in memory of its own, for goroutines of this process.
// It is Go memory, into which the race detector sees.
func Anonymous(cfg Config) (*Ring, error) {
	n, err := Size(cfg)
	if err != nil {
		return nil, err
	}
	return Format(shm.Heap(n).Bytes(), cfg)
}

// open takes over the caller's hold on the backing.
func open(b backing, geo geometry) (*Ring, error) {
	r := &Ring{backing: b}
	view, err := attach(b, geo, shm.ReadOnly, shm.ReadOnly)
	err = errors.Join(err, b.release())
	if err != nil {
		return nil, err
	}
	r.view = view
	return r, nil
}

// prepare does to a new handle's mappings what the configuration asks for.
func (r *Ring) prepare(a *attachment) error {
	for _, m := range a.regions {
		if r.cfg.Prefault {
			if err := m.Prefault(); err != nil {
				return err
			}
		}
		if r.cfg.Lock {
			if err := m.Lock(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close ends the use of r. Producers and consumers made from it live on. A
// second Close returns os.ErrClosed, as does whatever else is called then.
func (r *Ring) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return os.ErrClosed
	}
	r.closed = true
	return r.finish()
}

// use and unuse keep the mapping while a call looks at it.
func (r *Ring) use() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return os.ErrClosed
	}
	r.users++
	return nil
}

func (r *Ring) unuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users--
	if r.closed {
		_ = r.finish()
	}
}

func (r *Ring) finish() error {
	if r.users > 0 {
		return nil
	}
	return errors.Join(r.view.unmap(), r.backing.release())
}

// Name is the file or name of the ring, "" for memory.
func (r *Ring) Name() string { return r.backing.name() }

// Capacity is the ring's size in bytes, a power of two.
func (r *Ring) Capacity() int { return int(r.view.capacity) }

// MaxRecord is the largest payload in bytes that a record may have.
func (r *Ring) MaxRecord() int { return r.view.maxPayload }

// ProducerAlive tells whether the ring has a producer at this moment.
func (r *Ring) ProducerAlive() (bool, error) {
	if err := r.use(); err != nil {
		return false, err
	}
	defer r.unuse()
	return r.backing.producerLives()
}

// Ended tells whether the last producer closed the ring, and no other came. A
// closed Ring says false, as does one whose file was truncated.
func (r *Ring) Ended() bool {
	if r.use() != nil {
		return false
	}
	defer r.unuse()
	ended := false
	_ = Guard(func() error { ended = load64(r.view.word(offState))&stateMask == stateClosed; return nil })
	return ended
}

// Epoch is how many producers the ring has had, 0 on a closed Ring or one whose
// file was truncated.
func (r *Ring) Epoch() uint64 {
	if r.use() != nil {
		return 0
	}
	defer r.unuse()
	epoch := uint64(0)
	_ = Guard(func() error { epoch = load64(r.view.word(offEpoch)); return nil })
	return epoch
}

func checkMemory(mem []byte, geo geometry) error {
	if want := geo.broadcastSize() + geo.slotsSize(); uint64(len(mem)) < want {
		return sizeError("memory", want, uint64(len(mem)))
	}
	if a := address(mem); a%8 != 0 {
		return fmt.Errorf("%w: memory at an address that is %d beyond a multiple of 8, want 8-byte alignment", ErrFormat, a%8)
	}
	return nil
}

type creationID [16]byte

func newID() (id creationID) {
	_, _ = rand.Read(id[:]) // never fails: crypto/rand
	return id
}

package ring

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/carousel-ipc/carousel/shm"
)

// namedBacking is a ring in two files.
type namedBacking struct {
	path    string
	file    bool // in a file of the user's, not in /dev/shm
	ringf   *shm.File
	slotsf  *shm.File
	handles atomic.Int32
}

// ring makes a Ring of the backing, whose hold it takes over.
func (b *namedBacking) ring(geo geometry, cfg Config) (*Ring, error) {
	r, err := open(b, geo)
	if err != nil {
		return nil, err
	}
	r.cfg = cfg
	return r, nil
}

func (b *namedBacking) name() string { return b.path }

func (b *namedBacking) mapping(f *shm.File, a shm.Access) (region, error) {
	do := f.Map
	if b.file {
		do = f.MapFile
	}
	r, err := do(a)
	if err != nil {
		return nil, err
	}
	return newMapped(r, f, b.file), nil
}

func (b *namedBacking) broadcast(a shm.Access) (region, error) { return b.mapping(b.ringf, a) }
func (b *namedBacking) slots(a shm.Access) (region, error)     { return b.mapping(b.slotsf, a) }

func (b *namedBacking) lockProducer() (func() error, error) {
	return lockRole(b.ringf, roleProducer, ErrProducerLive)
}

func (b *namedBacking) lockSlot(i int) (func() error, error) {
	return lockRole(b.slotsf, i, errSlotTaken)
}

func lockRole(f *shm.File, role int, taken error) (func() error, error) {
	lock, err := f.TryLock(role)
	if errors.Is(err, shm.ErrLocked) {
		return nil, taken
	}
	if err != nil {
		return nil, err
	}
	return lock.Unlock, nil
}

func (b *namedBacking) producerLives() (bool, error)          { return b.ringf.Held(roleProducer) }
func (b *namedBacking) slotLives(i int) (bool, error)         { return b.slotsf.Held(i) }
func (b *namedBacking) watchProducer(fn func()) (stop func()) { return b.ringf.Watch(fn) }
func (b *namedBacking) watchSlots(fn func()) (stop func())    { return b.slotsf.Watch(fn) }

func (b *namedBacking) terms(int, uint64) terms    { return trusted }
func (b *namedBacking) joined(slots segment) error { return countJoin(slots) }
func (b *namedBacking) oneUser() bool              { return true } // shm.Open sees to it

func (b *namedBacking) current() error {
	named, err := b.ringf.Named()
	if err == nil && !named {
		err = fmt.Errorf("%w: %s.ring", ErrRemoved, b.path)
	}
	return err
}

func (b *namedBacking) acquire() { b.handles.Add(1) }

func (b *namedBacking) release() error {
	if b.handles.Add(-1) > 0 {
		return nil
	}
	return errors.Join(b.ringf.Close(), b.slotsf.Close())
}

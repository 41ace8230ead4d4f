package ring

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/shm"
)

// attachment is what every handle has: the two segments mapped for its role,
// and its own copy of the geometry.
type attachment struct {
	geometry
	backing   backing
	broadcast segment
	slots     segment
	frames    segment // the ring's first byte
	ring      []byte  // the same as bytes, capacity of them
	regions   []region
	late      *atomic.Bool // views outlived Close
}

// attach maps both segments and checks that they are what geo says. Nothing
// is decided by the headers after this.
func attach(b backing, geo geometry, broadcast, slots shm.Access) (attachment, error) {
	a := attachment{geometry: geo, backing: b, late: new(atomic.Bool)}
	br, err := b.broadcast(broadcast)
	if err != nil {
		return a, err
	}
	sl, err := b.slots(slots)
	if err != nil {
		return a, errors.Join(err, br.Unmap())
	}
	a.regions = []region{br, sl}
	if n := uint64(len(br.Bytes())); n < geo.broadcastSize() {
		return a, errors.Join(sizeError("broadcast segment", geo.broadcastSize(), n), a.unmap())
	}
	if n := uint64(len(sl.Bytes())); n < geo.slotsSize() {
		return a, errors.Join(sizeError("slot segment", geo.slotsSize(), n), a.unmap())
	}
	a.broadcast, a.slots = segmentOf(br.Bytes()), segmentOf(sl.Bytes())
	start := geo.ringStart()
	a.ring = br.Bytes()[start : start+geo.capacity : start+geo.capacity]
	a.frames = segmentOf(a.ring)
	b.acquire()
	return a, nil
}

func sizeError(what string, want, found uint64) error {
	return fmt.Errorf("%w: %s of %d bytes, want %d", ErrFormat, what, found, want)
}

// word is a 64-bit word of the broadcast segment; slotWord one of a slot.
func (a *attachment) word(off uint64) *uint64               { return a.broadcast.w64(off) }
func (a *attachment) word32(off uint64) *uint32             { return a.broadcast.w32(off) }
func (a *attachment) slotWord(slot int, off uint64) *uint64 { return a.slots.w64(slotAt(slot) + off) }
func (a *attachment) slotWord32(slot int, off uint64) *uint32 {
	return a.slots.w32(slotAt(slot) + off)
}

// commitWord and metaWord are the two header words of the frame at a position.
func (a *attachment) commitWord(pos uint64) *uint64 {
	return a.frames.w64(pos & a.mask)
}
func (a *attachment) metaWord(pos uint64) *uint64 {
	return a.frames.w64(pos&a.mask + frame.MetaOffset)
}

// discard ends the use of both segments. Where views or reservations are still
// in somebody's hands, empty memory takes the place of the mappings: reads give
// zeros, stores go nowhere, nothing faults. The addresses are given back when
// the holder calls once more (buryLate).
func (a *attachment) discard(held bool) error {
	if !held {
		return a.unmap()
	}
	var errs []error
	for _, r := range a.regions {
		errs = append(errs, r.Blank())
	}
	a.late.Store(true)
	return errors.Join(errs...)
}

// buryLate unmaps what discard left, when its holder has let go.
func (a *attachment) buryLate() {
	if a.late.CompareAndSwap(true, false) {
		_ = a.unmap()
	}
}

func (a *attachment) unmap() error {
	var errs []error
	for _, r := range a.regions {
		errs = append(errs, r.Unmap())
	}
	a.regions = nil
	return errors.Join(errs...)
}

// sync asks for the bytes to be on the disk, where there is one.
func (a *attachment) sync() error {
	return a.regions[0].Sync()
}

package ring

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/shm"
)

// NewConsumer joins the ring. It needs no producer: where there was never one,
// Next waits for it; where the last one closed or died, Next returns what is
// kept from ConsumerConfig.From on, and then io.EOF or ErrProducerDied, after
// which WaitProducer waits for the next. Errors are ErrConfig; ErrNoSlot;
// ErrRefused, where a policy is not granted; ErrEvicted, where its deadline passed
// before a place was found; ErrCorrupt.
func (r *Ring) NewConsumer(cfg ConsumerConfig) (*Consumer, error) {
	if cfg.Name == "" {
		cfg.Name = fmt.Sprintf("%.32s-%d", filepath.Base(os.Args[0]), os.Getpid())
	}
	if !validName(cfg.Name) {
		return nil, fmt.Errorf("%w: consumer name %q, %w", ErrConfig, cfg.Name, errName)
	}
	if err := cfg.Policy.check(); err != nil {
		return nil, err
	}
	if err := r.use(); err != nil {
		return nil, err
	}
	defer r.unuse()
	a, err := attach(r.backing, r.view.geometry, shm.ReadOnly, shm.ReadWrite)
	if err != nil {
		return nil, err
	}
	if err := r.prepare(&a); err != nil {
		return nil, errors.Join(err, a.unmap(), a.backing.release())
	}
	c := &Consumer{attachment: a, name: cfg.Name, policy: cfg.Policy, ladder: newLadder(cfg.Wait, a.backing), types: cfg.Types, expedited: a.backing.oneUser() && futex.Register()}
	c.section.init(a.regions...)
	c.stride = frame.HeaderSize // of the usual header 0, a record without payload
	if err := Guard(func() (err error) { c.slot, c.unlock, err = c.takeSlot(); return err }); err != nil {
		return nil, errors.Join(err, a.unmap(), a.backing.release())
	}
	c.own = c.slots.at(slotAt(c.slot))
	c.bell.word = c.own.w32(slotBell)
	if err := Guard(func() error { return c.join(cfg.From) }); err != nil {
		c.bell.silence()
		_ = c.section.last(func() { c.move(left) })
		return nil, errors.Join(err, c.unlock(), a.unmap(), a.backing.release())
	}
	c.unwatch = c.backing.watchProducer(c.checkProducer)
	c.checkProducer()
	handles.Add(1)
	return c, nil
}

// checkProducer is called when the producer's lock may have been dropped.
func (c *Consumer) checkProducer() {
	if alive, err := c.backing.producerLives(); err == nil && !alive {
		c.bell.died.Store(true)
		c.bell.ring()
	}
}

// takeSlot locks the first slot that nobody has: never had, was left, or whose
// owner died. An evicted consumer keeps its own until it closes.
func (c *Consumer) takeSlot() (slot int, unlock func() error, err error) {
	for slot := range c.geometry.slots {
		if load64(c.slotWord(slot, slotCursor)) != left {
			if alive, err := c.backing.slotLives(slot); err != nil {
				return 0, nil, err
			} else if alive {
				continue
			}
		}
		if err := c.backing.terms(slot, c.generation).admit(c.policy); err != nil {
			return 0, nil, err
		}
		unlock, err := c.backing.lockSlot(slot)
		if err == nil {
			return slot, unlock, nil
		}
		if !errors.Is(err, errSlotTaken) {
			return 0, nil, err
		}
	}
	return 0, nil, fmt.Errorf("%w: all %d are taken", ErrNoSlot, c.geometry.slots)
}

// join announces the consumer and finds its place. It stores its cursor, then
// looks at the horizon; the producer raises the horizon, then looks at the
// cursors, with a full fence on either side between the two: one of them sees
// the other (rows 5, 6 and 17).
func (c *Consumer) join(from Start) error {
	slot := slotAt(c.slot)
	at := func(off uint64) *uint64 { return c.slots.w64(slot + off) }
	at32 := func(off uint64) *uint32 { return c.slots.w32(slot + off) }

	store32(at32(slotWaiting), 0)
	store32(at32(slotNeedsFence), 0)
	c.slots.storeBytes(slot+slotName, []byte(c.name))
	store32(at32(slotNameLen), uint32(len(c.name)))
	store32(at32(slotPolicy), uint32(c.policy.kind))
	store32(at32(slotBellBase), load32(at32(slotBell)))
	store64(at(slotDeadline), uint64(c.policy.deadline))
	for _, off := range []uint64{slotReceived, slotLost, slotWaits, slotSequence} {
		store64(at(off), 0)
	}
	expedited := uint32(0)
	if c.expedited {
		expedited = 1
	}
	store32(at32(slotExpedited), expedited)

	// The epoch before the place: an EOS of an older one is stepped over.
	c.epoch = load64(c.word(offEpoch))
	var place point
	announced := false
	for try := 0; ; try++ {
		if try == patience {
			return fmt.Errorf("%w: lapped in %d tries to join", ErrCorrupt, patience)
		}
		p, err := c.choose(func(kept []point, _ uint64) point { return pick(kept, from) })
		if err != nil {
			return err
		}
		if place = p; !announced {
			announced = true
			c.cursor = place.pos
			store64(at(slotCursor), place.pos)
			c.generation = load64(at(slotGeneration)) + 1
			store64(at(slotGeneration), c.generation)
			if err := c.backing.joined(c.slots); err != nil {
				return err
			}
		} else {
			c.move(place.pos)
		}
		fence()
		if c.passed(place.pos) {
			continue
		}
		there, err := c.approach(place, from)
		if stale, err2 := c.staleJoin(); err2 != nil {
			return err2
		} else if stale {
			continue
		}
		if err != nil {
			return err
		}
		place = there
		break
	}
	c.pos, c.seq, c.given, c.unseen = place.pos, place.seq, place.seq, place.seq
	c.move(place.pos)
	store64(at(slotSequence), c.seq) // here, and counted from now on
	c.selective = len(c.types) > 0
	if from.kind == startSequence {
		if c.seq > from.seq {
			c.pending = &OverrunError{Lost: c.seq - from.seq, From: from.seq, To: c.seq - 1}
			c.lost = c.seq - from.seq
			plain64(at(slotLost), c.lost)
		} else if c.seq < from.seq {
			c.first, c.selective = from.seq, true
		}
	}
	return nil
}

// pick is the kept point from which to walk to the start.
func pick(kept []point, from Start) point {
	switch from.kind {
	case startLatest:
		return kept[len(kept)-1]
	case startSequence:
		for i := len(kept) - 1; i > 0; i-- {
			if kept[i].seq <= from.seq {
				return kept[i]
			}
		}
	}
	return kept[0]
}

// approach walks from the point that the cursor now protects, or, if lossy,
// does not, to the start.
func (c *Consumer) approach(p point, from Start) (point, error) {
	if from.kind == startOldest {
		return p, nil
	}
	return c.walk(p, func(at point, _ frame.Meta) bool { return from.kind == startSequence && at.seq >= from.seq })
}

// staleJoin tells whether the walk of a join may have read overwritten bytes.
func (c *Consumer) staleJoin() (bool, error) {
	fenceLoad()
	switch c.policy.kind {
	case kindLossy:
		return c.passed(c.cursor), nil
	case kindDeadline:
		return false, c.evictedNow()
	}
	return false, nil
}

// WaitProducer waits, after ErrProducerDied or io.EOF, until a producer has
// taken the ring over and Next can go on; at once if one has already. ErrRemoved
// when none will come, because the ring's name has gone or stands for another
// ring: open it again; or because the ring was served, which has one producer in
// its life: close the consumer and its Ring, and dial the next one, which numbers
// from 1.
func (c *Consumer) WaitProducer(ctx context.Context) error {
	if !c.enter() {
		return guarded(&c.section, func() error { return c.WaitProducer(ctx) })
	}
	defer c.leave()
	if c.err != nil {
		return c.err
	}
	for {
		bell := load32(c.slotWord32(c.slot, slotBell))
		if epoch := load64(c.word(offEpoch)); epoch > c.epoch {
			c.epoch, c.ended = epoch, false
			return nil
		}
		if err := c.section.over(); err != nil {
			return err
		}
		if err := c.watch(ctx); err != nil {
			return err
		}
		if alive, err := c.backing.producerLives(); err == nil && !alive {
			if err := c.backing.current(); err != nil {
				return err
			}
		}
		// Every take-over rings; nobody rings when a name goes.
		_ = kernel.Wait(c.slotWord32(c.slot, slotBell), bell, sooner(sleepBound, 10*time.Millisecond))
	}
}

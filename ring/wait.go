package ring

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/carousel-ipc/carousel/futex"
)

// The consumer's wait. It begins when the word at its position is not the
// sequence that it expects, and ends when there may be a record, or with what
// there is to tell instead.

const (
	slipMost   = 300 // pauses by which a consumer that keeps catching up slips back
	denseLooks = 3   // a record that comes within so many looks came densely
)

func (c *Consumer) there() bool { return load64(c.commitWord(c.pos)) == c.seq }

// miss is called when there is no record at the consumer's position.
func (c *Consumer) miss(ctx context.Context) error {
	if ctx == never {
		if err := c.look(); err != nil {
			return err
		}
		if c.there() {
			return nil
		}
		return ErrEmpty
	}
	if c.pos != c.cursor && c.viewed == 0 {
		// Skipped records of a run that has ended.
		if err := c.release(); err != nil {
			return err
		}
	}
	if c.spin() {
		return nil
	}
	if c.ladder.sleeps() {
		return c.sleep(ctx)
	}
	return c.poll(ctx)
}

// spin looks for a record for a while without leaving the processor. When
// records come densely it slips back first: a consumer that polls hard takes
// the line away from under the producer, which is then slower by half.
func (c *Consumer) spin() bool {
	if !c.ladder.spins(load32(c.word32(offConsumers))) {
		return false
	}
	run := c.seq - c.missed
	c.missed = c.seq
	if c.slip > 0 {
		if run <= 2 {
			c.slip = 0
		}
		for left := c.slip; left > 0; left -= 25 {
			pause(uint32(min(left, 25)))
		}
	}
	for looks := range spinLooks {
		if c.there() {
			if looks < denseLooks {
				c.slip = min(c.slip+25, slipMost)
			} else {
				c.slip = 0
			}
			return true
		}
		pause(pausesPerLook)
	}
	c.slip = 0
	return c.there()
}

// poll never sleeps in the kernel.
func (c *Consumer) poll(ctx context.Context) error {
	for turn := 1; ; turn++ {
		if c.there() {
			return nil
		}
		if c.ladder.wait == Spin && c.ladder.cpus > 1 {
			pause(pausesPerLook)
			if turn%256 != 0 {
				if turn%16 == 0 && c.policy.kind == kindLossy {
					if err := c.missing(); err != nil {
						return err
					}
				}
				continue
			}
			c.ladder.gosched(turn)
		} else {
			c.ladder.yield(turn)
		}
		if err := c.look(); err != nil || c.there() {
			return err
		}
		if err := c.holding(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// sleep gives up its turn a few times and then sleeps on its own bell. The
// order is: read the bell, say that it waits, fence, look at everything, sleep
// unless the bell has moved (row 12). A bell read after the look would lose a
// wake.
func (c *Consumer) sleep(ctx context.Context) error {
	for turn := range c.ladder.yields() {
		c.ladder.yield(turn + 1)
		if c.there() {
			return nil
		}
	}
	waiting, bell := c.slotWord32(c.slot, slotWaiting), c.slotWord32(c.slot, slotBell)
	defer store32(waiting, 0)
	for turn := 1; ; turn++ {
		rung := load32(bell)
		fenced32(waiting, 1)
		bound := c.fenceSleep()
		if err := c.look(); err != nil || c.there() {
			return err
		}
		if err := c.holding(); err != nil {
			return err
		}
		if err := c.watch(ctx); err != nil {
			return err
		}
		if c.gap.at == c.pos+1 {
			bound = sooner(bound, holePatience)
		}
		c.waits++
		plain64(c.slotWord(c.slot, slotWaits), c.waits)
		timeout := kernel.Wait(bell, rung, bound) == futex.ErrTimeout
		if timeout {
			c.checkProducer() // the watch is not asked to be perfect either
		}
		if timeout || turn%idleTurns == 0 {
			if err := c.intact(); err != nil {
				return err
			}
		}
	}
}

// idleTurns sleeps that bring nothing are as good as one that lasts: a watch
// that polls wakes so often that none does.
const idleTurns = 16

// fenceSleep puts the barrier between the producer's commit and its look at
// waiting, if the producer leaves that to the sleeper. Where this process is
// refused it says so, and sleeps in slices until the producer fences.
func (c *Consumer) fenceSleep() (bound time.Duration) {
	if load32(c.word32(offFenceMode)) != fenceSleeper || kernel.Barrier() == nil {
		return sleepBound
	}
	store32(c.slotWord32(c.slot, slotNeedsFence), 1)
	return blindSlice
}

// look checks everything but the record at the consumer's position that can
// end a wait.
func (c *Consumer) look() error {
	if err := c.section.over(); err != nil {
		return err
	}
	if err := c.missing(); err != nil {
		return err
	}
	epoch := load64(c.word(offEpoch))
	if state := load64(c.word(offState)); state&stateMask == stateClosed && state&^stateMask <= c.pos && !c.there() {
		c.epoch, c.ended = max(c.epoch, epoch), true
		return io.EOF
	}
	if c.bell.died.Load() {
		if err := c.mourn(); err != nil {
			return err
		}
	}
	return c.hole()
}

// holePatience is how long a record may be missing that the producer has
// counted. It counts after the commit, but without a fence between.
const holePatience = time.Millisecond

// hole tells of a record that was committed and is no more, or of a slot that
// is not this consumer's any more: somebody has punched a hole in a file, or
// zeroed the word. Nobody would ever write it anew, and a producer that this
// consumer gates would wait for it for ever.
func (c *Consumer) hole() error {
	if found := load64(c.own.w64(slotGeneration)); found != c.generation {
		c.err = fmt.Errorf("%w: want generation %d in slot %d, which is this consumer's, found %d", ErrCorrupt, c.generation, c.slot, found)
		return c.err
	}
	committed := load64(c.word(offPosition))
	if committed <= c.pos || c.there() {
		return nil
	}
	now := time.Now()
	if c.gap.at != c.pos+1 {
		c.gap.at, c.gap.since = c.pos+1, now
	}
	if now.Sub(c.gap.since) < holePatience {
		return nil
	}
	c.err = fmt.Errorf("%w: want record %d at position %d of %d that are committed, found none", ErrCorrupt, c.seq, c.pos, committed)
	return c.err
}

// missing tells of records that this consumer waits for in vain: it was
// lapped, or evicted.
func (c *Consumer) missing() error {
	switch c.policy.kind {
	case kindLossy:
		if c.passed(c.pos) {
			return c.resync()
		}
	case kindDeadline:
		return c.evictedNow()
	}
	return nil
}

// mourn reports the producer's death, after one more look for what it has
// committed and for a successor.
func (c *Consumer) mourn() error {
	// Cleared before the test: a death from here on sets it again.
	c.bell.died.Store(false)
	epoch := load64(c.word(offEpoch))
	alive, err := c.backing.producerLives()
	if err == nil && alive {
		return nil
	}
	c.bell.died.Store(true)
	if err != nil {
		return fmt.Errorf("ring: testing whether the producer lives: %w", err)
	}
	if epoch == 0 || c.there() {
		return nil // none has been here yet, or there is more to read
	}
	if err := c.missing(); err != nil {
		return err // the last that it did was to lap or evict this consumer
	}
	if state := load64(c.word(offState)); state&stateMask == stateClosed {
		return nil // it ended well: the next look finds where
	}
	if load64(c.word(offEpoch)) != epoch {
		return nil
	}
	c.epoch = epoch
	return ErrProducerDied
}

// holding is for a consumer that is about to wait with a cursor that the
// producer waits for. Views in the user's hands: nobody would ever go on. A
// cursor that is enough for the producer but not all that it hoped for: wake it.
func (c *Consumer) holding() error {
	wakeAt := load64(c.word(offWakeAt))
	if wakeAt == 0 || c.cursor >= wakeAt || !c.policy.Gates() {
		return nil
	}
	if c.viewed > 0 && c.cursor < load64(c.word(offNeedAt)) {
		return ErrUnreleased
	}
	kernel.Wake(low(c.slotWord(c.slot, slotCursor)))
	return nil
}

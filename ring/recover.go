package ring

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/shm"
)

// recover finds where the committed part of the ring ends and takes over from
// there. It writes nothing: a producer that dies here leaves everything as it
// was for the next.
func (p *Producer) recover() error {
	from, copy, ok := p.resume()
	if !ok {
		return fmt.Errorf("%w: neither resume point is valid", ErrCorrupt)
	}
	var stop func(point, frame.Meta) bool
	state := load64(p.word(offState))
	if closed := state&stateMask == stateClosed; p.rebooted() && !closed {
		// What of the ring's pages reached the disk before the machine stopped is
		// anybody's guess: only a checksum tells. A closed ring was synced.
		if !p.checksum {
			return fmt.Errorf("%w: %s", ErrUnclean, p.backing.name())
		}
		stop = func(at point, m frame.Meta) bool { return !p.whole(at, m) }
	}
	end, err := p.walk(from, stop)
	if err != nil {
		return fmt.Errorf("taking over from record %d: %w", from.seq, err)
	}
	p.pos, p.end = end.pos, end.pos
	p.first, p.seq = end.seq, end.seq
	p.copy = copy
	p.horizon = load64(p.word(offHorizon))
	if p.horizon > addSat(from.pos, p.capacity) {
		return fmt.Errorf("%w: horizon %d lies more than a lap beyond the resume point %d", ErrCorrupt, p.horizon, from.pos)
	}
	p.limit = 0
	p.mark = p.pos
	p.epoch = load64(p.word(offEpoch)) + 1
	p.gates.ignored = make([]uint64, p.geometry.slots)
	for slot := range p.gates.ignored {
		p.gates.ignored[slot] = load64(p.word(evictedAt(slot) + 8))
	}
	return nil
}

// rebooted tells whether the last producer wrote under another boot of the
// machine than this one.
func (p *Producer) rebooted() bool {
	boot := shm.BootID()
	return load64(p.word(offEpoch)) != 0 && boot != [16]byte{} && p.boot() != boot
}

func (a *attachment) boot() (id [16]byte) {
	a.broadcast.loadBytes(offBoot, id[:])
	return id
}

// whole tells whether the committed frame at p, whose header word was loaded
// once, by the caller, carries its own checksum.
func (a *attachment) whole(at point, m frame.Meta) bool {
	if m.Flags()&frame.Pad != 0 {
		return true
	}
	off := at.pos & a.mask
	if m.Check(a.maxPayload) != nil || m.Flags()&frame.CRC == 0 || off+uint64(m.Size()) > a.capacity {
		return false
	}
	return frame.Verify(a.ring[off:off+uint64(m.Size())], at.seq, m) == nil
}

// begin opens the new epoch: state, what belongs to it, the epoch itself, and
// then every bell (row 18), because the last producer may have died between a
// commit and its wake.
func (p *Producer) begin(label string) {
	if load64(p.commitWord(p.pos)) == p.first {
		// After a reboot: committed once, and found broken.
		store64(p.commitWord(p.pos), 0)
	}
	mode := uint32(fenceSleeper)
	if p.fenced {
		mode = fenceProducer
	}
	store32(p.word32(offFenceMode), mode)
	fence()
	boot := shm.BootID()
	p.broadcast.storeBytes(offBoot, boot[:])
	p.storeOwner(label)
	for _, off := range []uint64{offWakeAt, offNeedAt, offBytes, offCreditWaits, offWakes, offEvictions} {
		store64(p.word(off), 0)
	}
	store32(p.word32(offWaitingFor), 0)
	store32(p.word32(offWaitedFor), 0)
	store64(p.word(offPublished), p.first)
	store64(p.word(offPosition), p.pos)
	store64(p.word(offState), p.pos|stateOpen)
	store64(p.word(offEpoch), p.epoch)
	p.ringAll()
	p.refresh()
}

// storeOwner says who the producer is, for the people who read errors.
func (p *Producer) storeOwner(label string) {
	if label == "" {
		label = filepath.Base(os.Args[0])
	}
	text := []byte(fmt.Sprintf("%.80s, pid %d", label, os.Getpid()))
	store32(p.word32(offOwner), 0)
	p.broadcast.storeBytes(offOwner+4, text)
	store32(p.word32(offOwner), uint32(len(text)))
}

package ring

import (
	"encoding/hex"
	"time"
)

// Stats looks at the ring without a role in it, from any goroutine, whether it
// has a producer or not. It disturbs nobody and waits for nobody. Of a ring that
// was dialled it shows the producer and this consumer; Inspect shows all.
func (r *Ring) Stats() (s Stats, err error) {
	if err := r.use(); err != nil {
		return Stats{}, err
	}
	defer r.unuse()
	err = Guard(func() error { s, err = r.view.stats(r.Name()); return err })
	return s, err
}

// Stats is Ring.Stats.
func (p *Producer) Stats() (Stats, error) {
	if !p.enter() {
		return again(&p.section, p.Stats)
	}
	defer p.leave()
	return p.attachment.stats(p.backing.name())
}

func (a *attachment) stats(name string) (Stats, error) {
	u64 := func(off uint64) uint64 { return load64(a.word(off)) }
	alive, err := a.backing.producerLives()
	if err != nil {
		return Stats{}, err
	}
	s := Stats{
		Name: name, ID: a.identity(), Capacity: int(a.capacity), MaxRecord: a.maxPayload, Slots: a.geometry.slots, Checksum: a.checksum,
		Epoch: u64(offEpoch), Ended: u64(offState)&stateMask == stateClosed,
	}
	seq := u64(offPublished)
	s.Producer = ProducerStats{
		Alive: alive, Owner: a.owner(), Published: seq - 1, Position: u64(offPosition), Bytes: u64(offBytes),
		CreditWaits: u64(offCreditWaits), Wakes: u64(offWakes), Evictions: u64(offEvictions),
		WaitingFor: a.slotLabel(load32(a.word32(offWaitingFor))), WaitedFor: a.slotLabel(load32(a.word32(offWaitedFor))),
		Fence: "producer",
	}
	if load32(a.word32(offFenceMode)) == fenceSleeper {
		s.Producer.Fence = "sleeper"
	}
	for slot := range a.geometry.slots {
		if load64(a.slotWord(slot, slotGeneration)) == 0 || load64(a.slotWord(slot, slotCursor)) == left {
			continue
		}
		s.Consumers = append(s.Consumers, a.consumerStats(slot, seq, s.Producer.Position))
	}
	return s, nil
}

// identity is in the header, which nobody writes to once it is there. It is for
// people and for comparison, so that no copy of it is kept.
func (a *attachment) identity() string {
	var id creationID
	a.broadcast.loadBytes(offCreation, id[:])
	return hex.EncodeToString(id[:])
}

// consumerStats reads one slot; seq and pos are the end of what is committed.
func (a *attachment) consumerStats(slot int, seq, pos uint64) ConsumerStats {
	u64 := func(off uint64) uint64 { return load64(a.slotWord(slot, off)) }
	at := slotAt(slot)
	s := ConsumerStats{
		Slot: slot, Generation: u64(slotGeneration), Cursor: u64(slotCursor), Sequence: u64(slotSequence),
		Received: u64(slotReceived), Lost: u64(slotLost), Waits: u64(slotWaits),
		Wakes:  uint64(load32(a.slotWord32(slot, slotBell)) - load32(a.slotWord32(slot, slotBellBase))),
		Policy: Policy{kind: policyKind(min(load32(a.slotWord32(slot, slotPolicy)), uint32(kindLossy)))},
		Name:   a.slots.text(at+slotNameLen, at+slotName, MaxName),
	}
	if s.Policy.kind == kindDeadline {
		s.Policy.deadline = time.Duration(u64(slotDeadline))
	}
	s.Alive, _ = a.backing.slotLives(slot)
	s.Evicted = load64(a.word(evictedAt(slot)+8)) == s.Generation
	if seq > s.Sequence {
		s.Lag = seq - s.Sequence
	}
	if pos > s.Cursor {
		s.LagBytes = pos - s.Cursor
	}
	return s
}

// slotLabel names the consumer behind a slot number plus one; 0 is nobody.
func (a *attachment) slotLabel(n uint32) string {
	if n == 0 || int64(n) > int64(a.geometry.slots) {
		return ""
	}
	at := slotAt(int(n - 1))
	return a.slots.text(at+slotNameLen, at+slotName, MaxName)
}

func (a *attachment) owner() string {
	if s := a.broadcast.text(offOwner, offOwner+4, ownerBytes); s != "" {
		return s
	}
	return "a producer that has not said who it is"
}

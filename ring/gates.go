package ring

import (
	"time"
)

// gates is the producer's private list of the consumers it knows. It reads
// joins after every commit and, without credit, after every fence: whoever
// joined before is in the list then (rows 5, 6 and 11 of the ordering table).
type gates struct {
	joins   uint64
	list    []gate   // attached, in the order of their slots
	calls   []call   // of those, who is looked at after every commit
	ignored []uint64 // for each slot the generation that was evicted or found dead
	blocked bool     // some gate's since is set
	blind   bool     // a membarrier that a consumer counts on was refused
}

// relieve: there is credit, so nobody holds the producer up any more.
func (g *gates) relieve() {
	if !g.blocked {
		return
	}
	g.blocked = false
	for i := range g.list {
		g.list[i].since = time.Time{}
	}
}

// anyExpedited tells whether some consumer leaves the fence behind its cursor
// store to this producer's membarrier.
func (g *gates) anyExpedited() bool {
	for i := range g.list {
		if g.list[i].gates && load32(g.list[i].expedited) != 0 {
			return true
		}
	}
	return false
}

// gate is one attached consumer. What decides about memory is copied here
// once; only the cursor is read again, and clamped.
type gate struct {
	slot       int
	generation uint64
	stranger   bool // its bell is the strangers' matter
	gates      bool
	deadline   time.Duration // 0: for ever
	cursor     uint64        // last copy; never moves back
	since      time.Time     // since when it leaves the producer without credit
	tested     time.Time     // when its lock was last looked at for that

	cursorWord           *uint64
	waiting, bell, fence *uint32
	expedited            *uint32
}

// call is what every commit looks at: few bytes, for it does so for everybody.
type call struct {
	waiting *uint32
	gate    int // index in the list
}

const noGate = ^uint64(0)

// refresh rebuilds the list: after a join, and when somebody left.
func (p *Producer) refresh() {
	g := &p.gates
	g.joins = load64(p.slots.w64(offJoins))
	old := g.list
	g.list = make([]gate, 0, len(old)+1)
	for slot := range p.geometry.slots {
		generation := load64(p.slotWord(slot, slotGeneration))
		if generation == 0 || generation == g.ignored[slot] || load64(p.slotWord(slot, slotCursor)) == left {
			continue
		}
		for len(old) > 0 && old[0].slot < slot {
			old = old[1:]
		}
		if len(old) > 0 && old[0].slot == slot && old[0].generation == generation {
			g.list = append(g.list, old[0])
			continue
		}
		g.list = append(g.list, p.admit(slot, generation))
	}
	store32(p.word32(offConsumers), uint32(len(g.list)))
	g.calls = make([]call, 0, len(g.list))
	var bells []doorbell
	for i := range g.list {
		if c := &g.list[i]; c.stranger {
			bells = append(bells, doorbell{c.waiting, c.bell})
		} else {
			g.calls = append(g.calls, call{c.waiting, i})
		}
	}
	p.strangers.know(bells, p.word(offPosition))
}

// admit copies a consumer's policy, once for each generation, and holds it to
// the terms that it came on.
func (p *Producer) admit(slot int, generation uint64) gate {
	t := p.backing.terms(slot, generation)
	kind := policyKind(load32(p.slotWord32(slot, slotPolicy)))
	gates, deadline := t.binds(kind, time.Duration(load64(p.slotWord(slot, slotDeadline))))
	return gate{
		slot: slot, generation: generation, stranger: t.stranger, gates: gates, deadline: deadline,
		cursorWord: p.slotWord(slot, slotCursor),
		waiting:    p.slotWord32(slot, slotWaiting),
		bell:       p.slotWord32(slot, slotBell),
		fence:      p.slotWord32(slot, slotNeedsFence),
		expedited:  p.slotWord32(slot, slotExpedited),
	}
}

// gate returns the cursor of the slowest consumer that gates, noGate when none
// does. Each cursor is read once and clamped to what it can lawfully be, so
// that a wrong one harms its owner only.
func (p *Producer) gate() uint64 {
	if load64(p.slots.w64(offJoins)) != p.gates.joins {
		p.refresh()
	}
	slowest, gone := uint64(noGate), false
	for i := range p.gates.list {
		g := &p.gates.list[i]
		if !p.fenced && load32(g.fence) != 0 {
			p.takeFence(false)
		}
		cursor := load64(g.cursorWord)
		if cursor == left {
			gone = true
			continue
		}
		if g.gates {
			g.cursor = max(g.cursor, min(cursor, p.pos))
			slowest = min(slowest, g.cursor)
		}
	}
	if gone {
		p.refresh()
	}
	return slowest
}

// bury drops the consumers that were found dead from the list, when the watch
// says that somebody may have died.
func (p *Producer) bury() {
	if !p.deaths.CompareAndSwap(true, false) {
		return
	}
	changed := false
	for i := range p.gates.list {
		g := &p.gates.list[i]
		changed = p.dead(g) || changed
	}
	if changed {
		p.refresh()
	}
}

// dead tests the lock of a consumer and ignores it from now on when that is
// free. It speaks of the owner whose generation was read before: a newcomer
// holds it.
func (p *Producer) dead(g *gate) bool {
	alive, err := p.backing.slotLives(g.slot)
	if err != nil || alive {
		return false
	}
	p.gates.ignored[g.slot] = g.generation
	return true
}

// lockInterval is how long the producer trusts what it has learnt from the lock
// of a consumer that is in its way. The tests of schedules, which have to
// repeat, leave deaths to the notices.
var lockInterval = time.Millisecond

// obstacles deals with the consumers whose cursor is below target, which is
// what keeps credit away: the dead are ignored from now on, those past their
// deadline evicted. true: something changed, look again.
func (p *Producer) obstacles(target uint64) (changed bool) {
	now := time.Now()
	for i := range p.gates.list {
		g := &p.gates.list[i]
		if !g.gates || g.cursor >= target {
			g.since = time.Time{}
			continue
		}
		if g.since.IsZero() {
			g.since, p.gates.blocked = now, true
		}
		if now.Sub(g.tested) > lockInterval {
			g.tested = now
			if p.dead(g) {
				changed = true
				continue
			}
		}
		if g.deadline > 0 && now.Sub(g.since) >= g.deadline {
			p.evict(g)
			changed = true
		}
	}
	if changed {
		p.refresh()
	}
	return changed
}

// evict stops waiting for a consumer and says so where it looks before it
// trusts what it has read. The horizon's fence, which every credit ends with,
// stands between this and the first overwriting store (row 5b).
func (p *Producer) evict(g *gate) {
	at := evictedAt(g.slot)
	store64(p.word(at), g.cursor)
	store64(p.word(at+8), g.generation)
	p.gates.ignored[g.slot] = g.generation
	p.stats.evictions++
	plain64(p.word(offEvictions), p.stats.evictions)
	ringBell(g.bell)
}

// rouse: waiting first, so that a consumer that sleeps anew is not missed;
// then the bell, so that one that is about to sleep does not (row 15).
func (p *Producer) rouse(g *gate) {
	store32(g.waiting, 0)
	ringBell(g.bell)
	p.stats.wakes++
	plain64(p.word(offWakes), p.stats.wakes)
	if !p.fenced {
		p.weigh(g)
	}
}

// ringAll rings the bell of every slot, attached or not.
func (p *Producer) ringAll() {
	for slot := range p.geometry.slots {
		ringBell(p.slotWord32(slot, slotBell))
	}
}

// ringBell wakes one sleeper: nobody sleeps on a bell but its consumer, and a
// hostile one must not be able to make a wake long.
func ringBell(bell *uint32) {
	add32(bell, 1)
	kernel.Wake(bell)
}

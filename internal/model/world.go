package model

import "fmt"

// A machine is what an exploration explores: a configuration in a memory
// order, with one thing wrong or none.
type machine struct {
	Config
	order  Order
	mutant Mutant
}

// run is one step of a machine being taken.
type run struct {
	*machine
	*State
	who   uint8
	fault string
}

func (m *machine) is(x Mutant) bool { return m.mutant == x }

// expedites tells whether a consumer leaves the fence behind its cursor to
// the producer's membarrier.
func (m *machine) expedites(i uint8) bool {
	return !m.fences && !m.consumers[i].refused
}

// refuses tells whether some consumer is refused membarrier: else needsFence
// is never set, and looking at it never finds anything.
func (m *machine) refuses() bool {
	for _, c := range m.consumers {
		if c.refused {
			return true
		}
	}
	return false
}

// wakeWord wakes who sleeps on a word.
func (r *run) wakeWord(at uint8) {
	for who := range r.w.asleep {
		if r.w.asleep[who] == at+1 {
			r.rise(uint8(who))
		}
	}
}

// wakeSlot wakes a consumer on its bell.
func (r *run) wakeSlot(slot uint8) {
	if !r.is(PrivateFutex) {
		r.wakeWord(slotWord(slot, sBell))
	}
}

// rise ends a sleep in the kernel.
func (r *run) rise(who uint8) {
	r.w.asleep[who] = 0
	if who == producerID {
		r.p.pc = pTurn
		return
	}
	c := &r.c[who-1]
	if c.pc == cAsleep {
		c.pc = cBell
	} else {
		c.pc = cWaitBell
	}
}

// tellDeath: the producer's lock was dropped.
func (r *run) tellDeath() {
	for i, watching := range r.w.watching {
		r.w.notice[i+1] = watching
	}
}

// An action is something that can happen: a step of a process, a store that
// becomes visible, or what the world does.
type action uint8

const (
	step     action = 0 // + process
	early    action = 4 // + consumer
	kill     action = 8 // + process
	notice   action = 12
	spurious action = 16
	slice    action = 20
	cancel   action = 24 // + consumer
	restart  action = 28
	passes   action = 29 // a deadline
	drains   action = 32 // + process * depth + entry
	actions         = drains + 3*depth
)

// fault tells whether nobody may count on an action for getting on.
func (a action) fault() bool {
	return a >= kill && a < notice || a >= spurious && a < slice || a >= cancel && a < restart
}

func process(who uint8) string {
	return [...]string{"producer", "consumer 1", "consumer 2"}[who]
}

// name is for people; s is the state before.
func (m *machine) name(a action, s *State) string {
	who := uint8(a & 3)
	switch {
	case a >= drains:
		who, i := uint8(a-drains)/depth, uint8(a-drains)%depth
		e := s.buf[who].e[i]
		return fmt.Sprintf("%-10s   visible: %s = %d", process(who), wordName(e.at), e.value)
	case a == passes:
		return "world        a deadline passes"
	case a == restart:
		return "world        a new producer"
	case a >= cancel:
		return fmt.Sprintf("world        cancels %s", process(who))
	case a >= slice:
		return fmt.Sprintf("world        a slice of %s is over", process(who))
	case a >= spurious:
		return fmt.Sprintf("world        wakes %s for nothing", process(who))
	case a >= notice:
		return fmt.Sprintf("world        tells %s of a death", process(who))
	case a >= kill:
		return fmt.Sprintf("world        kills %s", process(who))
	case a >= early:
		return fmt.Sprintf("%-10s   a later load is satisfied early", process(who))
	}
	at := s.p.pc
	if who > 0 {
		at = s.c[who-1].pc
	}
	return fmt.Sprintf("%-10s %s", process(who), stepNames[at])
}

func wordName(at uint8) string {
	if at >= aSlots {
		at -= aSlots
		return fmt.Sprintf("slot %d %s", at/slotWords, [...]string{"cursor", "generation", "policy", "waiting", "bell", "needsFence"}[at%slotWords])
	}
	if at >= aEvicted {
		return fmt.Sprintf("evicted[%d]", at-aEvicted)
	}
	switch at {
	case aHorizon:
		return "horizon"
	case aState:
		return "state"
	case aEpoch:
		return "epoch"
	case aMode:
		return "fenceMode"
	case aWakeAt:
		return "wakeAt"
	case aNeedAt:
		return "needAt"
	case aJoins:
		return "joins"
	}
	switch {
	case at >= aCheckpoint:
		return fmt.Sprintf("checkpoint[%d]", at-aCheckpoint)
	case at >= aResume:
		return fmt.Sprintf("resume[%d]", at-aResume)
	case at >= aMeta:
		return fmt.Sprintf("meta of unit %d", at-aMeta)
	}
	return fmt.Sprintf("word of unit %d", at)
}

// can tells whether an action is possible in a state.
func (m *machine) can(a action, s *State) bool {
	who := uint8(a & 3)
	switch {
	case a >= drains:
		return m.drainable(&s.buf[(a-drains)/depth], uint8(a-drains)%depth)
	case a == passes:
		return s.p.wants != 0 && !s.p.late && s.p.pc != off && m.late(s)
	case a == restart:
		return s.w.restarts > 0 && !s.w.alive
	case a >= cancel:
		i := who
		return int(i) < len(m.consumers) && s.c[i].end == 0 && s.c[i].pc != off &&
			(s.w.cancelled[i] == 0 && s.w.cancels > 0 && m.consumers[i].cancels || s.w.cancelled[i] == 1)
	case a >= slice:
		if who == producerID {
			return m.blind && s.w.asleep[0] != 0 && m.mutant != NoBlindSlices
		}
		return who < 3 && s.w.asleep[who] != 0 && s.c[who-1].bound != 0 && s.c[who-1].pc == cAsleep && m.mutant != NoSlices
	case a >= spurious:
		return who < 3 && s.w.asleep[who] != 0 && s.w.spurious > 0
	case a >= notice:
		return who < 3 && s.w.notice[who]
	case a >= kill:
		if who == producerID {
			return s.w.kills > 0 && s.p.pc != off
		}
		return who < 3 && s.w.deaths > 0 && s.c[who-1].pc != off && s.c[who-1].pc != cAbsent && m.consumers[who-1].dies
	case a >= early:
		if int(who) >= len(m.consumers) {
			return false
		}
		_, ok := m.sooner(&s.c[who], m.consumers[who].policy)
		return ok
	}
	if who > 2 {
		return false
	}
	at := s.p.pc
	if who > 0 {
		if at = s.c[who-1].pc; at == cAbsent && (&run{machine: m, State: s}).freeSlot() == noGate {
			return false
		}
	}
	switch {
	case at == off, at == pIdle, at.asleep():
		return false
	case m.drained(at):
		return s.buf[who].n == 0
	}
	return s.buf[who].n <= m.most()
}

func (m *machine) drained(at pc) bool {
	if m.mutant == KernelWakeNoBarrier && (at == cWakeProducer || at == cHoldWake) {
		return false
	}
	return at.drained()
}

// most is how many stores a process may have pending when it takes a step.
func (m *machine) most() uint8 {
	if m.pending != 0 {
		return m.pending
	}
	return usual
}

// late tells whether a deadline can pass: somebody who has one is in the way.
func (m *machine) late(s *State) bool {
	for i, g := range s.p.list {
		if g.generation != 0 && g.policy&policyMask == deadline && g.cursor < s.p.target && s.w.owner[i] != 0 {
			return true
		}
	}
	return false
}

// apply lets an action happen. The result is what it broke.
func (m *machine) apply(a action, s *State) string {
	r := run{machine: m, State: s, who: uint8(a & 3)}
	switch {
	case a >= drains:
		r.drain(uint8(a-drains)/depth, uint8(a-drains)%depth)
		r.settle()
	case a == passes:
		s.p.late, s.p.alarm = true, true
		if s.w.asleep[producerID] != 0 {
			r.rise(producerID)
		}
	case a == restart:
		s.w.restarts--
		s.w.alive, s.w.finished, s.w.ended = true, false, false
		s.w.version++
		s.w.notice[producerID] = false
		s.p = producer{pc: pWalk}
	case a >= cancel:
		r.cancel()
	case a >= slice:
		r.rise(r.who)
	case a >= spurious:
		s.w.spurious--
		r.rise(r.who)
	case a >= notice:
		r.told()
	case a >= kill:
		r.kill()
	case a >= early:
		c := &s.c[r.who]
		at, _ := m.sooner(c, m.consumers[r.who].policy)
		c.early, c.earlyAt = at+1, s.mem[at]
		for b := range s.buf[r.who+1].n {
			if e := s.buf[r.who+1].e[b]; e.at == at {
				c.earlyAt = e.value
			}
		}
	default:
		r.step()
		r.settle()
	}
	return r.fault
}

// step takes one step of a process and the local ones behind it.
func (r *run) step() {
	r.execute()
	for {
		var next pc
		if r.who == producerID {
			r.stepProducer()
			next = r.p.pc
		} else {
			r.stepConsumer()
			next = r.consumer().pc
		}
		if r.fault != "" || !next.local() || r.buf[r.who].n > r.most() {
			return
		}
	}
}

// kill ends a process between two instructions. What it executed becomes
// visible before the kernel drops its lock.
func (r *run) kill() {
	r.flush(r.who)
	r.discard(r.who)
	r.w.asleep[r.who] = 0
	if r.who == producerID {
		r.w.kills--
		r.w.alive, r.w.idle = false, false
		r.w.pending, r.w.turn = [2]point{}, 0
		r.w.notice[producerID] = false
		r.p = producer{}
		r.tellDeath()
		return
	}
	i := r.who - 1
	r.w.deaths--
	r.w.owner[r.c[i].slot] = 0
	r.w.watching[i], r.w.notice[r.who] = false, false
	r.c[i] = consumer{end: endKilled}
	r.w.notice[producerID] = r.p.pc != off
}

// told is a death that the watch of a process tells.
func (r *run) told() {
	r.w.notice[r.who] = false
	if r.who == producerID {
		r.p.deaths, r.p.alarm = true, true
		if r.w.asleep[producerID] != 0 && !r.is(ConsumerDeathSilent) {
			r.rise(producerID)
		}
		return
	}
	c := r.consumer()
	if r.w.alive || c.pc == off || c.pc == cUnlock {
		return
	}
	c.died = true
	if !r.is(DeathSilent) {
		r.ring(c.slot)
		r.wakeSlot(c.slot)
	}
}

// cancel ends a context, and then rings.
func (r *run) cancel() {
	i := r.who
	if r.w.cancelled[i] == 0 {
		r.w.cancels--
		r.w.cancelled[i] = 1
		return
	}
	r.w.cancelled[i] = 2
	if !r.is(CancelSilent) {
		r.ring(r.c[i].slot)
		r.wakeSlot(r.c[i].slot)
	}
}

// initial is the state in which an exploration begins: the producer has begun
// its epoch and knows those consumers who do not join later.
func (m *machine) initial() State {
	var s State
	s.mem[aResume], s.mem[aResume+2] = 1, 1
	s.mem[aEpoch] = 1
	s.mem[aState] = stateOpen
	s.mem[aMode] = mode(m.unregistered)
	s.w = world{
		alive: true, next: 1,
		kills: m.kills, deaths: m.deaths, restarts: m.restarts, spurious: m.spurious, cancels: m.cancels,
	}
	s.p = producer{pc: pNext, first: 1, seq: 1, epoch: 1, fenced: m.unregistered, unregistered: m.unregistered}
	for i, c := range m.consumers {
		if c.joins {
			s.c[i] = consumer{pc: cAbsent}
			continue
		}
		slot := uint8(i)
		word := c.policy
		if m.expedites(uint8(i)) {
			word |= expedited
		}
		s.mem[slotWord(slot, sGeneration)] = 1
		s.mem[slotWord(slot, sPolicy)] = word
		s.mem[aJoins]++
		s.p.joins++
		s.p.list[slot] = gate{generation: 1, policy: word}
		s.c[i] = consumer{pc: cCommit, slot: slot, generation: 1, announced: true, seq: 1, given: 1, epoch: 1}
		s.w.owner[slot] = uint8(i) + 1
		s.w.watching[i] = true
	}
	for slot := range m.slots {
		if s.w.owner[slot] == 0 {
			s.mem[slotWord(slot, sCursor)] = left
		}
	}
	return s
}

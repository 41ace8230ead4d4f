package model

// The producer's credit, and its wait for it.

func (r *run) credit() {
	p := &r.p
	p.i, p.look = 0, lookFirst
	r.bury()
}

func (r *run) drainCall() {
	p := &r.p
	p.i, p.look = 0, lookDrain
	r.bury()
}

// bury tests locks when the watch has told of a death.
func (r *run) bury() {
	r.p.pc = pBury
	if !r.p.deaths {
		r.lookAt(r.p.look)
	}
}

// gateDone has looked at every cursor.
func (r *run) gateDone() {
	p := &r.p
	gate := p.gate
	p.gate, p.gone = 0, false
	switch p.look {
	case lookFirst:
		target := min((p.need+r.part-1)/r.part*r.part, sat(gate, r.units), p.pos+r.units)
		if r.is(HorizonWithoutCredit) {
			target = min((p.need+r.part-1)/r.part*r.part, p.pos+r.units)
		}
		if r.is(HorizonUnbounded) {
			target = min((p.need+r.part-1)/r.part*r.part, sat(gate, r.units))
		}
		if r.is(BatchUnbounded) {
			target = min(max((p.need+r.part-1)/r.part*r.part, p.need), sat(gate, r.units))
		}
		if target < p.need {
			r.noCredit()
			return
		}
		p.value = target
		r.credited(gate)
		if target <= p.horizon {
			p.pc = pCreditFence
			return
		}
		resume := func() {
			if !r.is(ResumeInPlace) {
				p.copy ^= 1
			}
			r.storePoint(aResume+3*p.copy, point{p.first, p.pos})
		}
		p.pc = pHorizon
		switch {
		case r.is(NoResume):
		case r.is(ResumeAfterHorizon):
			r.store(aHorizon, target)
			resume()
		default:
			resume()
		}
		if r.is(HorizonNotFenced) {
			r.store(aHorizon, target)
			r.raised()
		}
	case lookAgain:
		p.limit = min(p.horizon, sat(gate, r.units))
		if r.is(NoSecondLook) {
			p.limit = p.horizon
		}
		if p.limit < p.need {
			r.noCredit()
			return
		}
		r.enough()
	case lookDrain:
		if gate < p.pos {
			r.noCredit()
			return
		}
		r.enough()
	}
}

// raise is the store of the horizon and the fence behind it.
func (r *run) raise() {
	p := &r.p
	if p.pc == pHorizon && !r.is(HorizonAfterPayload) {
		r.fenced(aHorizon, p.value)
		r.announcedLawfully(aHorizon)
	}
	r.raised()
}

func (r *run) raised() {
	p := &r.p
	p.horizon = max(p.horizon, p.value)
	p.value = 0
	r.lookAt(lookAgain)
}

// enough ends the wait, if there was one.
func (r *run) enough() {
	p := &r.p
	if p.announced {
		r.store(aWakeAt, 0)
		r.store(aNeedAt, 0)
	}
	wants := p.wants
	p.announced, p.late = false, false
	p.need, p.target, p.wants, p.look = 0, 0, 0, 0
	p.pc = pStage
	if wants == 'D' {
		p.op++
		p.pc = pNext
	}
}

// noCredit: Close does without, everybody else waits.
func (r *run) noCredit() {
	p := &r.p
	if p.wants == 'X' {
		p.need, p.wants, p.look = 0, 0, 0
		p.pc = pState
		return
	}
	p.changed = false
	p.i = 0
	p.pc = pObstacle
	r.obstacleFrom(0)
}

// obstacleFrom goes to the next consumer that is in the way.
func (r *run) obstacleFrom(i uint8) {
	p := &r.p
	for ; i < r.slots; i++ {
		if g := p.list[i]; g.gates() && g.cursor < p.target {
			p.i, p.pc = i, pObstacle
			return
		}
	}
	p.i, p.late = 0, false
	if p.changed {
		r.refreshThen(pTurn)
		return
	}
	r.slowest()
}

// changed: somebody is out of the way.
func (r *run) changed() {
	r.p.changed = false
	r.lookAgain()
}

func (r *run) lookAgain() {
	if r.p.wants == 'D' {
		r.drainCall()
	} else {
		r.credit()
	}
}

// slowest finds whom to sleep on.
func (r *run) slowest() {
	p := &r.p
	slow := uint8(noGate)
	for i := range r.slots {
		if g := p.list[i]; g.gates() && g.cursor < p.target && (slow == noGate || g.cursor < p.list[slow].cursor) {
			slow = i
		}
	}
	switch {
	case slow == noGate:
		p.pc = pTurn // it has moved meanwhile, or is gone
	case !p.announced:
		p.announced = true
		r.store(aNeedAt, p.target)
		p.pc = pWakeAt
	default:
		p.i = slow
		p.pc = pSleepCursor
	}
}

func (r *run) waitGate() {
	p := &r.p
	switch p.pc {
	case pTurn:
		p.alarm = false
		r.lookAgain()
	case pObstacle:
		g := &p.list[p.i]
		if p.rushed && r.is(IgnoreSlot) || !r.lives(p.i) {
			if r.later() {
				return
			}
			r.ignore(p.i)
			p.changed = true
		} else if g.policy&policyMask == deadline && p.late {
			r.evict()
			return
		}
		r.obstacleFrom(p.i + 1)
	case pEvictAdd:
		r.ring(p.i)
		p.pc = pEvictWake
	case pEvictWake:
		r.wakeSlot(p.i)
		r.obstacleFrom(p.i + 1)
	case pWakeAt:
		at := min(p.target+r.ahead, p.pos)
		if r.is(WakeAtTooHigh) {
			at = p.pos + 1
		}
		if r.is(WakeAtNotFenced) {
			r.store(aWakeAt, at)
		} else {
			r.fenced(aWakeAt, at)
		}
		p.pc = pBarrier
		if r.is(NoWakeAtBarrier) || r.fences {
			r.ringFrom(0) // nobody whom a membarrier would reach
		}
	case pBarrier:
		for i := range r.consumers {
			if r.expedites(uint8(i)) && !r.blind {
				r.flush(uint8(i) + 1)
			}
		}
		r.ringFrom(0)
	case pRingWaiting:
		if r.load(slotWord(p.i, sWaiting)) == 0 {
			r.ringFrom(p.i + 1)
			return
		}
		r.rouse(pRingWaiting)
	case pSleepCursor:
		p.value = r.load(slotWord(p.i, sCursor))
		if p.value >= p.target && !r.is(NoLookAfterWakeAt) {
			p.value, p.i = 0, 0
			p.pc = pTurn
			return
		}
		p.pc = pSleepWait
	case pSleepWait:
		if r.mem[slotWord(p.i, sCursor)] == p.value && !p.alarm {
			r.w.asleep[producerID] = slotWord(p.i, sCursor) + 1
			p.pc = pAsleep
		} else {
			p.pc = pTurn
		}
		p.value, p.i = 0, 0
	}
}

// ringFrom wakes those who sleep on views that this producer waits for; then
// it looks again, behind the fence.
func (r *run) ringFrom(i uint8) {
	p := &r.p
	if !r.is(NoRingOfHolders) {
		for ; i < r.slots; i++ {
			if g := p.list[i]; g.gates() && g.cursor < p.target {
				p.i, p.pc = i, pRingWaiting
				return
			}
		}
	}
	p.i = 0
	p.pc = pTurn
	if r.is(NoLookAfterWakeAt) {
		r.slowest()
	}
}

// evict tells the consumer before the space is opened.
func (r *run) evict() {
	p := &r.p
	g := p.list[p.i]
	at := aEvicted + 2*p.i
	r.w.evicted[p.i] = g.cursor
	switch {
	case r.is(EvictionUntold):
	case r.is(EvictedGenerationFirst):
		r.store(at+1, g.generation)
		r.store(at, g.cursor)
	default:
		r.store(at, g.cursor)
		r.store(at+1, g.generation)
	}
	p.ignored[p.i] = g.generation
	p.changed = true
	p.pc = pEvictAdd
	if r.is(EvictionSilent) {
		r.obstacleFrom(p.i + 1)
	}
}

func sat(pos, d uint8) uint8 {
	if pos > 255-d {
		return 255
	}
	return pos + d
}

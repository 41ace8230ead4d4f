package model

// The consumer's join: announce, then look at the horizon.

func (r *run) join() {
	c := r.consumer()
	cfg := r.consumers[r.who-1]
	switch c.pc {
	case cAbsent:
		c.slot = r.freeSlot()
		r.w.owner[c.slot] = r.who
		r.store(r.my(sWaiting), 0)
		r.store(r.my(sNeedsFence), 0)
		if !r.is(GenerationFirst) {
			r.store(r.my(sPolicy), r.policyWord())
		}
		c.since = r.w.next
		c.pc = cJoinEpoch
	case cJoinEpoch:
		c.epoch = r.load(aEpoch)
		r.chooseFrom()
	case cJoinGeneration:
		c.generation = r.load(r.my(sGeneration)) + 1
		c.cursor = c.place.pos
		if r.is(GenerationFirst) {
			r.store(r.my(sGeneration), c.generation)
			r.store(r.my(sPolicy), r.policyWord())
			r.store(r.my(sCursor), c.cursor)
		} else {
			r.store(r.my(sCursor), c.cursor)
			r.store(r.my(sGeneration), c.generation)
		}
		c.announced = true
		c.pc = cJoinAdd
	case cJoinAdd:
		r.add(aJoins)
		c.pc = cJoinFence
	case cJoinFence:
		c.pc = cJoinPassed
		if r.is(JoinWithoutHorizon) {
			r.approach(cfg)
		}
	case cJoinPassed:
		if r.passed(r.load(aHorizon), c.place.pos) {
			r.retry()
			return
		}
		r.approach(cfg)
	case cWalkWord:
		if r.load(aWord+c.place.pos%r.units) == c.place.seq {
			c.pc = cWalkMeta
			return
		}
		r.walked()
	case cWalkMeta:
		meta := r.load(aMeta + c.place.pos%r.units)
		if !r.wellFormed(c.place.pos, meta) {
			c.part = 1 // an error, unless the walk was stale
			r.walked()
			return
		}
		c.place.pos += meta & 15
		if meta>>4 == kindRecord {
			c.place.seq++
		}
		c.pc = cWalkWord
		if c.place.pos-c.cursor >= r.units {
			r.walked()
		}
	case cWalkStale:
		if r.policy() == lossy && r.passed(r.load(aHorizon), c.cursor) {
			c.part = 0
			r.retry()
			return
		}
		if r.policy() == deadline && r.load(aEvicted+2*c.slot+1) == c.generation {
			c.pc = cEvictedAt
			return
		}
		r.joined()
	case cWatch:
		r.w.watching[r.who-1] = true
		c.pc = cCommit
		if !r.w.alive {
			c.died = true
			c.pc = cWatchAdd
		}
	case cWatchAdd:
		r.ring(c.slot)
		c.pc = cCommit
	}
}

// retry chooses again: lapped while joining.
func (r *run) retry() { r.chooseFrom() }

// approach walks from a point that the cursor protects to the start.
func (r *run) approach(cfg Consumer) {
	c := r.consumer()
	if cfg.oldest {
		r.walked()
		return
	}
	c.pc = cWalkWord
}

func (r *run) walked() {
	c := r.consumer()
	c.pc = cWalkStale
	if r.policy() == reliable {
		r.joined()
	}
}

func (r *run) joined() {
	c := r.consumer()
	if c.part != 0 {
		r.fail("join: ErrCorrupt, and nothing was corrupt")
		return
	}
	c.pos, c.seq, c.given = c.place.pos, c.place.seq, c.place.seq
	if !r.truePoint(c.place) {
		r.fail("join: at a place where no frame begins, or under another sequence")
		return
	}
	if !r.consumers[r.who-1].oldest && c.seq < c.since {
		r.fail("join: latest begins before what was committed when it was called")
		return
	}
	c.place, c.since = point{}, 0
	r.move(c.pos, cWatch)
}

// freeSlot is the first slot whose lock is free, noGate for none.
func (r *run) freeSlot() uint8 {
	for slot := range r.slots {
		if r.w.owner[slot] == 0 {
			return slot
		}
	}
	return noGate
}

func (r *run) policyWord() uint8 {
	w := r.policy()
	if r.expedites(r.who - 1) {
		w |= expedited
	}
	return w
}

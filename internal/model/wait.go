package model

// The consumer's sleep on its bell, and its wait for a producer. No sleep has
// a bound here, except where slices are the mechanism.

// miss: there is no record at the consumer's position. Spinning is a sleep
// that ends at its first look.
func (r *run) miss() { r.consumer().pc = cBell }

// awake ends a sleep: its deferred store.
func (r *run) awake(then pc) {
	c := r.consumer()
	r.store(r.my(sWaiting), 0)
	r.mem[r.my(sBell)] = 0
	c.listens, c.bound = false, 0
	c.pc = then
}

func (r *run) wait() {
	c := r.consumer()
	i := r.who - 1
	switch c.pc {
	case cBell:
		if r.is(BellAfterLook) && c.part == 0 {
			c.pc = cWaiting
			return
		}
		r.listen()
		c.part = 0
		c.pc = cWaiting
		if r.is(BellAfterLook) {
			c.pc = cSleepWait
		}
	case cWaiting:
		if r.is(WaitingNotFenced) {
			r.store(r.my(sWaiting), 1)
		} else {
			r.fenced(r.my(sWaiting), 1)
		}
		c.pc = cMode
	case cMode:
		c.bound = 0
		switch {
		case r.load(aMode) != modeSleeper || r.is(NoSleepBarrier):
			r.look()
		case r.consumers[i].refused:
			if !r.is(NeedsFenceUnsaid) {
				c.bound = 1
				r.store(r.my(sNeedsFence), 1)
			}
			r.look()
		default:
			c.pc = cSleepBarrier
		}
	case cSleepBarrier:
		if !r.p.unregistered {
			r.flush(producerID)
		}
		r.look()
	case cLookStale:
		r.lookStale(cLookEpoch)
	case cLookEpoch:
		c.seen = r.load(aEpoch)
		c.pc = cLookState
	case cLookState:
		state := r.load(aState)
		if state&3 != stateClosed || state>>2 > c.pos {
			c.seen = 0
		}
		switch {
		case state&3 == stateClosed && state>>2 <= c.pos:
			c.pc = cLookThere
		case c.died:
			c.pc = cMournEpoch
		default:
			c.pc = cThere
		}
	case cLookThere:
		if r.load(aWord+c.pos%r.units) == c.seq {
			c.seen = 0
		}
		switch {
		case r.load(aWord+c.pos%r.units) != c.seq:
			r.checkEnd()
			c.epoch, c.seen = max(c.epoch, c.seen), 0
			r.awake(cEnded)
			r.endOf(endEOF)
		case c.died:
			c.pc = cMournEpoch
		default:
			c.pc = cThere
		}
	case cMournEpoch:
		c.died = false
		c.seen = r.load(aEpoch)
		c.pc = cMournLock
	case cMournLock:
		c.pc = cThere
		if r.w.alive {
			c.seen = 0
			break
		}
		c.died = true
		if c.seen == 0 {
			break
		}
		c.pc = cMournThere
		if r.is(DeathBeforeRecords) {
			c.pc = cMournState
		}
	case cMournThere:
		c.pc = cMournStale
		if r.policy() == reliable || r.is(DeathBeforeLoss) {
			c.pc = cMournState
		}
		if r.load(aWord+c.pos%r.units) == c.seq {
			c.seen = 0
			c.pc = cThere
		}
	case cMournStale:
		r.lookStale(cMournState)
	case cMournState:
		c.pc = cMournAgain
		if r.load(aState)&3 == stateClosed {
			c.seen = 0
			c.pc = cThere
		}
	case cMournAgain:
		epoch := r.load(aEpoch)
		was := c.seen
		c.seen = 0
		c.pc = cThere
		if epoch == was || r.is(DeathWithoutEpoch) {
			c.epoch = was
			r.checkDeath()
			r.awake(cEnded)
			r.endOf(endDied)
		}
	case cThere:
		if r.load(aWord+c.pos%r.units) == c.seq {
			r.awake(cCommit)
			return
		}
		c.pc = cHoldWakeAt
		if r.policy() == lossy {
			r.sleepy()
		}
	case cHoldWakeAt:
		wakeAt := r.load(aWakeAt)
		switch {
		case wakeAt == 0 || c.cursor >= wakeAt || r.is(HoldingIgnored), r.is(WakeAtTooHigh):
			r.sleepy()
		case c.viewed > 0:
			c.pc = cHoldNeedAt
		default:
			c.pc = cHoldWake
		}
	case cHoldNeedAt:
		c.pc = cHoldWake
		if c.cursor < r.load(aNeedAt) {
			r.awake(cCommit) // ErrUnreleased: this model's user releases
			r.release(cCommit)
		}
	case cHoldWake:
		r.wakeWord(r.my(sCursor))
		r.sleepy()
	case cSleepWait:
		if r.w.cancelled[i] != 0 {
			r.awake(cEnded)
			r.endOf(endCancelled)
			return
		}
		c.pc = cBell
		if !r.heard() {
			r.w.asleep[r.who] = r.my(sBell) + 1
			c.pc = cAsleep
		}
	case cWaitBell:
		r.listen()
		c.pc = cWaitEpoch
	case cWaitEpoch:
		if epoch := r.load(aEpoch); epoch > c.epoch {
			c.epoch, c.listens = epoch, false
			c.pc = cCommit
			return
		}
		c.pc = cWaitWait
	case cWaitWait:
		c.pc = cWaitBell
		if !r.heard() {
			r.w.asleep[r.who] = r.my(sBell) + 1
			c.pc = cWaitAsleep
		}
	}
}

// look begins the look at everything that can end a wait.
func (r *run) look() {
	c := r.consumer()
	c.pc = cLookStale
	if r.policy() == reliable {
		c.pc = cLookEpoch
	}
}

// lookStale is missing: being lapped or evicted comes before everything else.
// Who loses nothing by being lapped goes on at then.
func (r *run) lookStale(then pc) {
	c := r.consumer()
	switch {
	case r.policy() == lossy && r.passed(r.load(aHorizon), c.pos):
		r.resyncFrom()
		c.back = then
	case r.policy() == deadline && r.load(aEvicted+2*c.slot+1) == c.generation:
		c.seen = 0
		r.awake(cEvictedAt)
	default:
		c.pc = then
	}
}

// The bell is a counter that does not come round while somebody sleeps: here
// it is whether it has moved since its owner last read it.

func (r *run) listen() {
	r.mem[r.my(sBell)] = 0
	r.consumer().listens = true
}

func (r *run) heard() bool {
	heard := r.mem[r.my(sBell)] != 0
	if heard {
		r.consumer().listens = false
		r.mem[r.my(sBell)] = 0
	}
	return heard
}

// ring is an atomic add to a slot's bell.
func (r *run) ring(slot uint8) {
	for i := range r.c {
		if c := &r.c[i]; c.listens && c.slot == slot {
			r.mem[slotWord(slot, sBell)] = 1
		}
	}
}

// sleepy has nothing left to look at.
func (r *run) sleepy() {
	c := r.consumer()
	c.pc = cSleepWait
	if r.is(BellAfterLook) {
		c.pc, c.part = cBell, 1
	}
}

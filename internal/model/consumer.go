package model

// The consumer: Next, the reading of a view, Release, Close. It releases after
// every hold records, and when Next says ErrUnreleased.

func (r *run) stepConsumer() {
	c := r.consumer()
	switch c.pc {
	case cAbsent, cJoinEpoch, cJoinGeneration, cJoinAdd, cJoinFence, cJoinPassed, cWalkWord, cWalkMeta, cWalkStale, cWatch, cWatchAdd:
		r.join()
	case cChooseHorizon, cChooseWord, cKept, cPoint, cChoosePassed, cNoneHorizon, cNoneWord:
		r.choose()
	case cCommit, cMeta, cFrameStale, cPayload, cHeldPayload, cEOSPayload, cSpecialStale:
		r.next()
	case cReleaseStale, cEvictedAt, cCursor, cWakeAt, cWakeProducer:
		r.releaseStep()
	case cResyncPassed:
		r.resync()
	case cEnded:
		r.ended()
	case cUnlock:
		r.w.owner[c.slot] = 0
		r.w.watching[r.who-1] = false
		*c = consumer{end: c.end, seq: c.seq}
	default:
		r.wait()
	}
}

func (r *run) consumer() *consumer { return &r.c[r.who-1] }
func (r *run) policy() uint8       { return r.consumers[r.who-1].policy }
func (r *run) my(word uint8) uint8 { return slotWord(r.consumer().slot, word) }
func (r *run) passed(horizon, pos uint8) bool {
	return horizon > sat(pos, r.units)
}

// validate is the load behind a payload: the fence that precedes it forgets
// what was loaded early.
func (r *run) validate(at uint8) uint8 {
	c := r.consumer()
	early, value := c.early, c.earlyAt
	c.early, c.earlyAt = 0, 0
	if early == at+1 && (r.is(NoLoadFenceLossy) && r.policy() == lossy || r.is(NoLoadFenceDeadline) && r.policy() == deadline) {
		return value
	}
	return r.load(at)
}

// sooner is the load that may be satisfied before the one the consumer stands
// at, and in place of it when its turn comes.
func (m *machine) sooner(c *consumer, policy uint8) (at uint8, ok bool) {
	if m.order != Weak || c.early != 0 {
		return 0, false
	}
	switch {
	case (c.pc == cPayload && c.held.seq == 0 || c.pc == cHeldPayload) && policy == lossy:
		return aHorizon, true
	case c.pc == cPayload && policy == deadline:
		return aEvicted + 2*c.slot + 1, true
	case c.pc == cCommit && m.mutant == CommitLoadPlain:
		return aMeta + c.pos%m.units, true
	case c.pc == cPoint && c.part == 0 && m.mutant == PointLoadPlain:
		return m.pointAt(c.i) + 1, true
	}
	return 0, false
}

// plainLoad is a load that may have been satisfied early because the one
// before it was not an acquire: only where mutants say so.
func (r *run) plainLoad(at uint8) uint8 {
	c := r.consumer()
	early, value := c.early, c.earlyAt
	c.early, c.earlyAt = 0, 0
	if early == at+1 {
		return value
	}
	return r.load(at)
}

func (r *run) next() {
	c := r.consumer()
	at := c.pos % r.units
	switch c.pc {
	case cCommit:
		if r.is(PayloadBeforeCommitWord) && c.part == 0 {
			c.tag, c.part = r.load(aWord+(c.pos+1)%r.units), 1
			return
		}
		c.part = 0
		if r.load(aWord+at) != c.seq {
			c.early, c.earlyAt, c.tag = 0, 0, 0
			r.miss()
			return
		}
		c.pc = cMeta
	case cMeta:
		c.meta = r.plainLoad(aMeta + at)
		if c.meta>>4 != kindRecord || !r.wellFormed(c.pos, c.meta) {
			c.pc = cSpecialStale
			if c.meta>>4 == kindEOS && r.wellFormed(c.pos, c.meta) {
				c.pc = cEOSPayload
			} else if r.policy() == reliable {
				r.special()
			}
			return
		}
		if r.policy() == lossy {
			c.pc = cFrameStale
			return
		}
		r.view()
	case cFrameStale:
		if r.passed(r.load(aHorizon), c.pos) {
			c.meta = 0
			r.resyncFrom()
			return
		}
		r.view()
	case cHeldPayload:
		r.readHeld()
	case cPayload:
		tag := c.tag
		if !r.is(PayloadBeforeCommitWord) {
			tag = r.load(aWord + (c.pos+1)%r.units)
		}
		c.tag = 0
		r.read(tag)
	case cEOSPayload:
		c.tag = r.load(aWord + (c.pos+1)%r.units)
		c.pc = cSpecialStale
		if r.policy() == reliable {
			r.special()
		}
	case cSpecialStale:
		if r.stale() {
			return
		}
		r.special()
	}
}

// view hands a record out, whose payload is then read: of several records
// that are held the first is read last.
func (r *run) view() {
	c := r.consumer()
	if c.viewed+1 < r.hold {
		if c.meta&15 > 1 {
			c.held = point{c.seq, c.pos}
		}
		if !r.framed() {
			c.torn = true
		}
		c.pos += c.meta & 15
		c.seq++
		c.viewed++
		c.meta = 0
		c.pc = cCommit
		return
	}
	if c.meta&15 > 1 {
		c.pc = cPayload
		if r.is(CursorBeforePayload) {
			r.move(c.pos+(c.meta&15), cPayload)
		}
		return
	}
	r.read(0)
}

// read has seen all of a record: is it the one that was committed? What is
// torn may be seen as long as it is not accepted.
func (r *run) read(tag uint8) {
	c := r.consumer()
	size := c.meta & 15
	if !r.framed() || size > 1 && tag != r.tag(c.seq, r.w.log[c.seq%maxRecords].version) {
		c.torn = true
	}
	c.meta = 0
	c.pos += size
	c.seq++
	if r.is(CursorBeforePayload) {
		r.accept()
		c.pc = cCommit
		return
	}
	r.release(cCommit)
}

// framed tells whether the header is that of the record that was committed.
func (r *run) framed() bool {
	c := r.consumer()
	rec := r.w.log[c.seq%maxRecords]
	return c.seq < r.w.next && rec.size == c.meta&15 && rec.pos == c.pos
}

func (r *run) readHeld() {
	c := r.consumer()
	if r.load(aWord+(c.held.pos+1)%r.units) != r.tag(c.held.seq, r.w.log[c.held.seq%maxRecords].version) {
		c.torn = true
	}
	c.held = point{}
	r.release(c.after)
}

// special is a filler, the end of the stream, or what no producer writes.
func (r *run) special() {
	c := r.consumer()
	kind, size := c.meta>>4, c.meta&15
	good := kind != kindRecord && r.wellFormed(c.pos, c.meta)
	tag := c.tag
	c.meta, c.tag = 0, 0
	if !good {
		r.fail("next: ErrCorrupt, and nothing was corrupt")
		return
	}
	if kind == kindEOS && (tag >= c.epoch || r.is(EOSEpochIgnored)) {
		r.checkEnd()
		c.epoch = max(c.epoch, tag)
		r.endOf(endEOF)
		return
	}
	c.pos += size
	c.pc = cCommit
	if c.viewed == 0 {
		r.release(cCommit)
	}
}

// stale is doubtful: what was read may have been overwritten.
func (r *run) stale() bool {
	c := r.consumer()
	switch r.policy() {
	case lossy:
		pos := c.cursor
		if r.is(PassedByPosition) {
			pos = c.pos
		}
		if r.passed(r.validate(aHorizon), pos) {
			r.resyncFrom()
			return true
		}
	case deadline:
		if r.validate(aEvicted+2*c.slot+1) == c.generation {
			c.pc = cEvictedAt
			return true
		}
	}
	return false
}

// release gives back what is viewed and goes on at then.
func (r *run) release(then pc) {
	c := r.consumer()
	c.viewed = 0
	c.early, c.earlyAt = c.earlyIf(r.policy())
	if c.held.seq != 0 {
		c.early, c.earlyAt = 0, 0
		c.after = then
		c.pc = cHeldPayload
		return
	}
	if c.pos == c.cursor {
		c.pc = then
		return
	}
	c.after = then
	switch {
	case r.policy() == reliable,
		r.policy() == lossy && r.is(NoHorizonAfterPayload),
		r.policy() == deadline && r.is(NoEvictedAfterPayload):
		r.accept()
		r.move(c.pos, then)
	default:
		c.pc = cReleaseStale
	}
}

// earlyIf keeps an early load for those who validate.
func (c *consumer) earlyIf(policy uint8) (uint8, uint8) {
	if policy == reliable {
		return 0, 0
	}
	return c.early, c.earlyAt
}

func (r *run) releaseStep() {
	c := r.consumer()
	switch c.pc {
	case cReleaseStale:
		if r.stale() {
			return
		}
		r.accept()
		r.move(c.pos, c.after)
	case cEvictedAt:
		if r.load(aEvicted+2*c.slot) != r.w.evicted[c.slot] {
			r.fail("EvictedError: tells another position than the cursor at eviction")
		}
		r.leave(endEvicted)
	case cCursor:
		r.fenced(r.my(sCursor), c.to)
		r.moved()
	case cWakeAt:
		wakeAt := r.load(aWakeAt)
		old, to := c.old, c.to
		c.old, c.to = 0, 0
		c.pc = c.after
		if old < wakeAt && wakeAt <= to {
			c.pc = cWakeProducer
		} else {
			r.afterMove()
		}
	case cWakeProducer:
		r.wakeWord(r.my(sCursor))
		c.pc = c.after
		r.afterMove()
	}
}

// move stores the cursor and looks whether the producer waits for that.
func (r *run) move(to uint8, then pc) {
	c := r.consumer()
	c.old, c.to, c.after = c.cursor, to, then
	c.cursor = to
	if !r.expedites(r.who-1) && !r.is(CursorNotFenced) {
		c.pc = cCursor
		return
	}
	r.store(r.my(sCursor), to)
	r.moved()
}

func (r *run) moved() {
	c := r.consumer()
	c.pc = cWakeAt
	leaving := c.to == left
	if r.is(NoWakeAtLook) && !leaving || r.is(NoWakeAtLookOnLeave) && leaving {
		c.old, c.to = 0, 0
		c.pc = c.after
		r.afterMove()
	}
}

// afterMove goes on where the move was part of something.
func (r *run) afterMove() {
	c := r.consumer()
	c.after = off
	if n := r.consumers[r.who-1].leaves; c.pc == cCommit && n != 0 && c.received >= n {
		r.leave(endLeft)
	}
}

// leave is Close of a consumer.
func (r *run) leave(how uint8) {
	c := r.consumer()
	c.end = how
	r.store(r.my(sWaiting), 0)
	slot, cursor := c.slot, c.cursor
	*c = consumer{end: how, slot: slot, cursor: cursor, seq: c.seq, after: cUnlock}
	r.w.notice[r.who] = false
	r.move(left, cUnlock)
}

// endOf ends the calls of Next: what is held is released, and then the
// consumer closes, or waits for the next producer.
func (r *run) endOf(how uint8) {
	c := r.consumer()
	c.end = how
	r.release(cEnded)
}

func (r *run) ended() {
	c := r.consumer()
	how := c.end
	c.end = 0
	if (how == endEOF || how == endDied) && r.consumers[r.who-1].follows {
		c.pc = cWaitBell
		return
	}
	r.leave(how)
}

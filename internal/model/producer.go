package model

// The producer: recover and begin, reserve, commit, Close. Its script is a
// string of calls: a digit reserves a record of so many units, C commits, A
// aborts, D drains (or is a rendezvous), X closes, Z goes on living without
// another call. A script that ends leaves the lock without Close.

func (r *run) stepProducer() {
	p := &r.p
	switch p.pc {
	case pWalk:
		r.recover()
	case pBeginFence:
		r.begin()
	case pBellAdd:
		r.ring(p.i)
		p.pc = pBellWake
	case pBellWake:
		r.wakeSlot(p.i)
		r.nextBell()
	case pRefreshJoins, pRefreshGeneration, pRefreshCursor, pAdmit:
		r.refresh()
	case pNext:
		r.nextCall()
	case pStage:
		r.stage()
	case pZero, pFirst, pCheckpoint:
		r.commit()
	case pBury, pGateJoins, pGateNeeds, pGateCursor:
		r.gate()
	case pHorizon, pCreditFence:
		r.raise()
	case pTurn, pObstacle, pEvictAdd, pEvictWake, pWakeAt, pBarrier, pRingWaiting, pSleepCursor, pSleepWait:
		r.waitGate()
	case pWakeJoins, pWakeWaiting, pRouseAdd, pRouseWake, pRouseClear, pRouseNeeds, pTakeFence, pDropFence:
		r.wake()
	case pState:
		r.endOfStream()
	case pUnlock:
		r.w.alive, r.w.ended = false, p.closing
		r.p = producer{}
		r.tellDeath()
	}
}

// recover reads what only producers write while there is none but this one:
// one step is as good as many.
func (r *run) recover() {
	p := &r.p
	var from point
	found := false
	for i := range uint8(2) {
		at := aResume + 3*i
		seq, pos, last := r.mem[at], r.mem[at+1], r.mem[at+2]
		newer := pos >= from.pos
		if r.is(OldResume) {
			newer = pos < from.pos
		}
		if seq == last && seq != 0 && (!found || newer) {
			from, p.copy, found = point{seq, pos}, i, true
		}
	}
	if !found {
		r.fail("recovery: neither resume point is valid")
		return
	}
	at := from
	for at.pos-from.pos < r.units && r.mem[aWord+at.pos%r.units] == at.seq {
		meta := r.mem[aMeta+at.pos%r.units]
		kind, size := meta>>4, meta&15
		if !r.wellFormed(at.pos, meta) {
			r.fail("recovery: a bad header behind a commit word")
			return
		}
		at.pos += size
		if kind == kindRecord {
			at.seq++
		}
	}
	if at.seq != r.w.next || at.pos != r.w.end {
		r.fail("recovery: found another end than what was committed")
		return
	}
	p.horizon = r.mem[aHorizon]
	if p.horizon > from.pos+r.units {
		r.fail("recovery: the horizon lies more than a lap beyond the resume point")
		return
	}
	p.pos, p.end, p.first, p.seq = at.pos, at.pos, at.seq, at.seq
	p.mark = p.pos
	p.epoch = r.mem[aEpoch] + 1
	for slot := range uint8(maxSlots) {
		p.ignored[slot] = r.mem[aEvicted+2*slot+1]
	}
	if r.is(EvictedForgotten) {
		p.ignored = [maxSlots]uint8{}
	}
	p.unregistered = r.unregistered != r.turns // always a successor
	p.fenced = p.unregistered
	r.store(aMode, mode(p.fenced))
	p.pc = pBeginFence
}

func mode(fenced bool) uint8 {
	if fenced {
		return modeProducer
	}
	return modeSleeper
}

func (r *run) begin() {
	p := &r.p
	p.pc = pBellAdd
	r.store(aWakeAt, 0)
	r.store(aNeedAt, 0)
	if r.is(EpochAfterBells) {
		return // with the last bell
	}
	if !r.is(StateAfterEpoch) {
		r.store(aState, p.pos<<2|stateOpen)
	}
	r.store(aEpoch, p.epoch)
	if r.is(StateAfterEpoch) {
		r.store(aState, p.pos<<2|stateOpen)
	}
	if r.is(TakeOverSilent) {
		r.refreshThen(pNext)
	}
}

// nextBell is the end of a turn of ringAll.
func (r *run) nextBell() {
	p := &r.p
	p.pc = pBellAdd
	if p.i++; p.i < r.slots {
		return
	}
	p.i = 0
	if p.closing {
		p.pc = pUnlock
		return
	}
	if r.is(EpochAfterBells) {
		r.store(aState, p.pos<<2|stateOpen)
		r.store(aEpoch, p.epoch)
	}
	r.refreshThen(pNext)
}

// nextCall does what the script says, as far as that needs nobody else.
func (r *run) nextCall() {
	p := &r.p
	call := r.call()
	switch call {
	case '1', '2', '3':
		start, _ := r.place(call - '0')
		need := start + call - '0' + 1
		switch {
		case need <= p.limit:
			p.pc = pStage
		case need > p.pos+r.units && !r.is(BatchUnbounded):
			// ErrBatchFull: this model's user commits and tries again.
			if p.end == p.pos {
				r.fail("reserve: a single record does not fit")
			}
			p.pc = pZero
		default:
			p.need, p.target, p.wants = need, need-r.units, call
			r.credit()
		}
	case 'C':
		p.op++
		if p.end != p.pos {
			p.pc = pZero
		}
	case 'A':
		p.op++
		r.abort()
	case 'F':
		p.op++
		r.dropFence()
	case 'D':
		p.target, p.wants = p.pos, 'D'
		r.drainCall()
	case 'X':
		r.abort()
		p.op++
		p.closing = true
		r.w.closed |= 1 << p.seq
		start, _ := r.place(2)
		if p.need = start + 3; p.need <= p.limit {
			p.pc = pStage
			return
		}
		p.wants = 'X'
		r.credit()
	case 'Z':
		r.w.idle = true
		p.pc = pIdle
	default:
		r.w.finished = true
		p.pc = pUnlock
	}
}

func (r *run) call() uint8 {
	script := r.script
	if r.p.epoch > 1 {
		script = r.again
	}
	if int(r.p.op) < len(script) {
		return script[r.p.op]
	}
	return 0
}

func (r *run) abort() {
	p := &r.p
	if p.end != p.pos {
		r.w.version++ // what is staged next under these sequences is something else
	}
	if p.marked > 0 && !r.is(AbortKeepsMarks) {
		p.mark = p.marks[0].pos
		p.marks, p.marked = [2]point{}, 0
	}
	p.end, p.seq = p.pos, p.first
}

func (r *run) place(size uint8) (start, pad uint8) {
	if at := r.p.end % r.units; at+size > r.units {
		pad = r.units - at
	}
	return r.p.end + pad, pad
}

// tag is a payload: nobody else's, and chosen so that a walker who enters it
// may take it for the commit word it is looking for.
func (r *run) tag(seq, version uint8) uint8 { return seq + r.intent + version<<4 }

// stage writes a record with its filler. Only the first commit word of a
// batch waits.
func (r *run) stage() {
	p := &r.p
	size, kind := r.call()-'0', uint8(kindRecord)
	if p.closing {
		size, kind = 2, kindEOS
	}
	start, pad := r.place(size)
	word := func(pos uint8) {
		if pos != p.pos || r.is(HeadStagedOpen) {
			flags := uint8(0)
			if pos == p.pos {
				flags = r.publishing(start+size, kind)
			}
			r.put(aWord+pos%r.units, p.seq, flags)
		}
	}
	if pad > 0 {
		r.plain(aMeta+p.end%r.units, metaOf(kindPad, pad))
		word(p.end)
	}
	if !r.is(LengthAfterCommit) {
		r.plain(aMeta+start%r.units, metaOf(kind, size))
	}
	if kind == kindEOS {
		r.plain(aWord+(start+1)%r.units, p.epoch)
	} else if size > 1 && !r.is(PayloadAfterCommit) {
		r.plain(aWord+(start+1)%r.units, r.tag(p.seq, r.w.version))
	}
	word(start)
	p.pc = pNext
	p.end = start + size
	if kind == kindEOS {
		p.pc = pZero
		return
	}
	if p.seq < maxRecords {
		r.w.log[p.seq] = record{start, size, r.w.version}
	}
	if start >= p.mark && p.marked < 2 {
		p.mark = (start/r.part + 1) * r.part
		p.marks[p.marked] = point{p.seq, start}
		p.marked++
		if r.is(CheckpointBeforeCommit) {
			r.checkpoint(p.marked - 1)
		}
	}
	p.seq++
	p.op++
}

// publishing notes what a commit word that goes into the buffer will publish.
func (r *run) publishing(end, kind uint8) (flags uint8) {
	next := r.p.seq
	if kind == kindRecord && r.p.pc == pStage {
		next++ // a head that is published when it is staged
	}
	flags = commits
	if r.w.turn == 1 {
		flags |= turnBit
	}
	r.w.pending[r.w.turn] = point{next, end}
	r.w.turn ^= 1
	return flags
}

// commit: zero, first word, checkpoints, then wake.
func (r *run) commit() {
	p := &r.p
	switch p.pc {
	case pZero:
		if !r.is(NoZero) {
			r.plain(aWord+p.end%r.units, 0)
		}
		if r.is(HorizonAfterPayload) {
			r.store(aHorizon, p.horizon)
		}
		fenced := p.fenced
		if p.rushed {
			p.rushed, p.fenced = false, true
		}
		if p.unsaid {
			p.unsaid = false
			r.store(aMode, modeSleeper) // the commit was without the fence already
		}
		if fenced && !r.is(CommitNotFenced) {
			p.pc = pFirst // an exchange
			return
		}
		if !r.is(HeadStagedOpen) {
			flags := uint8(release)
			if r.is(CommitPlain) {
				flags = 0
			}
			r.put(aWord+p.pos%r.units, p.first, flags|r.publishing(p.end, 0))
		}
	case pFirst:
		r.fenced(aWord+p.pos%r.units, p.first)
		if r.is(HeadStagedOpen) {
			break
		}
		r.publishing(p.end, 0)
		r.committed(r.w.turn ^ 1)
	case pCheckpoint:
		if !r.is(CheckpointBeforeCommit) {
			for i := range p.marked {
				r.checkpoint(i)
			}
		}
		p.marks, p.marked = [2]point{}, 0
		r.wakeAll()
		return
	}
	r.late()
	p.pos, p.first = p.end, p.seq
	p.pc = pCheckpoint
}

// late does what mutants do behind the commit instead of before it.
func (r *run) late() {
	p := &r.p
	rec := r.w.log[p.first%maxRecords]
	if r.is(LengthAfterCommit) {
		r.plain(aMeta+rec.pos%r.units, metaOf(kindRecord, rec.size))
	}
	if r.is(PayloadAfterCommit) && rec.size > 1 {
		r.plain(aWord+(rec.pos+1)%r.units, r.tag(p.first, r.w.version))
	}
}

func (r *run) checkpoint(i uint8) {
	m := r.p.marks[i]
	r.storePoint(aCheckpoint+3*(m.pos/r.part%r.points), m)
}

func (r *run) storePoint(at uint8, p point) {
	r.store(at, p.seq)
	r.store(at+1, p.pos)
	r.store(at+2, p.seq)
}

// endOfStream says where the stream ends.
func (r *run) endOfStream() {
	p := &r.p
	if !r.is(CloseWithoutState) {
		r.store(aState, p.pos<<2|stateClosed)
	}
	r.w.finished = true
	p.i = 0
	p.pc = pBellAdd
}

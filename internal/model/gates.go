package model

// The producer's list of consumers: refresh, gate, wake, evict.

// refreshThen rebuilds the list and goes on at then.
func (r *run) refreshThen(then pc) {
	r.p.afterRefresh = then
	r.p.pc = pRefreshJoins
}

func (r *run) refresh() {
	p := &r.p
	switch p.pc {
	case pRefreshJoins:
		p.joins, p.i = r.load(aJoins), 0
		p.pc = pRefreshGeneration
		return
	case pRefreshGeneration:
		p.value = r.load(slotWord(p.i, sGeneration))
		if p.value == 0 || p.value == p.ignored[p.i] {
			p.list[p.i] = gate{}
			break
		}
		p.pc = pRefreshCursor
		return
	case pRefreshCursor:
		if r.load(slotWord(p.i, sCursor)) == left {
			p.list[p.i] = gate{}
			break
		}
		if p.list[p.i].generation != p.value {
			p.pc = pAdmit
			return
		}
	case pAdmit:
		p.list[p.i] = gate{generation: p.value, policy: r.load(slotWord(p.i, sPolicy))}
		r.admitted(p.value, p.i)
	}
	p.value = 0
	p.pc = pRefreshGeneration
	if p.i++; p.i < r.slots {
		return
	}
	p.i = 0
	p.pc, p.afterRefresh = p.afterRefresh, off
	switch p.pc {
	case pGateCursor:
		r.gateFrom(0)
	case pHorizon:
		r.gateDone()
	case pWakeWaiting:
		r.wakeFrom(0, pNext)
	case pTurn:
		r.changed()
	}
}

// lookAt begins a look at the cursors; gateDone goes on according to look.
func (r *run) lookAt(look uint8) {
	r.p.look = look
	r.p.pc = pGateJoins
}

const (
	lookFirst = iota
	lookAgain
	lookDrain
)

func (r *run) gate() {
	p := &r.p
	switch p.pc {
	case pBury:
		if p.list[p.i].generation != 0 && (p.rushed && r.is(IgnoreSlot) || !r.lives(p.i)) {
			if r.later() {
				return
			}
			r.ignore(p.i)
			p.changed = true
		}
		if p.i++; p.i < r.slots {
			return
		}
		p.i, p.deaths = 0, false
		r.lookAt(p.look)
		if p.changed {
			p.changed = false
			p.joins = noGate // read anew by gate
		}
	case pGateJoins:
		if joins := r.load(aJoins); joins != p.joins {
			r.refreshThen(pGateCursor)
		} else {
			r.gateFrom(0)
		}
	case pGateNeeds:
		p.pc = pGateCursor
		if r.load(slotWord(p.i, sNeedsFence)) != 0 {
			r.takeFence(pGateCursor)
		}
	case pGateCursor:
		g := &p.list[p.i]
		switch cursor := r.load(slotWord(p.i, sCursor)); {
		case cursor == left:
			p.gone = true
		case g.gates():
			g.cursor = max(g.cursor, min(cursor, p.pos))
			p.gate = min(p.gate, g.cursor)
		}
		r.gateFrom(p.i + 1)
	}
}

// gateFrom goes to the next consumer in the list.
func (r *run) gateFrom(i uint8) {
	p := &r.p
	if i == 0 {
		p.gate, p.gone = noGate, false
	}
	for ; i < r.slots; i++ {
		if p.list[i].generation != 0 {
			p.i = i
			p.pc = pGateCursor
			if !p.fenced && r.refuses() {
				p.pc = pGateNeeds
			}
			return
		}
	}
	p.i = 0
	if p.gone {
		r.refreshThen(pHorizon)
		return
	}
	r.gateDone()
}

// takeFence: the fence first, then the mode.
func (r *run) takeFence(then pc) {
	p := &r.p
	p.afterRefresh = then
	if r.is(ModeBeforeFence) {
		r.store(aMode, modeProducer)
		p.pc, p.afterRefresh = then, off
		p.rushed = true // the next commit is still without
		return
	}
	p.fenced = true
	p.pc = pTakeFence
}

// dropFence gives back what takeFence took by choice: the mode first, and a
// fence behind it, then commits without. Who read the mode of before has said
// that it waits, and this producer sees it.
func (r *run) dropFence() {
	p := &r.p
	switch {
	case !r.chooses || !p.fenced:
	case r.is(ModeAfterDrop):
		p.fenced, p.unsaid = false, true
	case r.is(DropNotFenced):
		p.fenced = false
		r.store(aMode, modeSleeper)
	default:
		p.fenced = false
		p.pc = pDropFence
	}
}

// lives tests the lock of a slot.
func (r *run) lives(slot uint8) bool { return r.w.owner[slot] != 0 }

func (r *run) ignore(slot uint8) {
	p := &r.p
	p.ignored[slot] = p.list[slot].generation
	if r.is(IgnoreSlot) {
		p.ignored[slot] = r.mem[slotWord(slot, sGeneration)]
	}
}

// later makes a mutant act upon a free lock one step after it was tested.
func (r *run) later() bool {
	if !r.is(IgnoreSlot) {
		return false
	}
	r.p.rushed = !r.p.rushed
	return r.p.rushed
}

// wakeAll begins the look at who waits.
func (r *run) wakeAll() {
	r.p.pc = pWakeJoins
	if r.is(WakeWithoutJoins) {
		r.wakeFrom(0, pNext)
	}
}

func (r *run) wake() {
	p := &r.p
	switch p.pc {
	case pWakeJoins:
		if r.load(aJoins) != p.joins {
			r.refreshThen(pWakeWaiting)
		} else {
			r.wakeFrom(0, pNext)
		}
	case pWakeWaiting:
		if r.load(slotWord(p.i, sWaiting)) == 0 {
			r.wakeFrom(p.i+1, pNext)
			return
		}
		r.rouse(pWakeWaiting)
	case pRouseAdd:
		r.ring(p.i)
		p.pc = pRouseWake
	case pRouseWake:
		r.wakeSlot(p.i)
		switch {
		case r.is(WaitingAfterBell):
			p.pc = pRouseClear
		case !p.fenced && r.refuses():
			p.pc = pRouseNeeds
		case !p.fenced && r.chooses:
			r.takeFence(pWakeWaiting)
			if p.pc != pTakeFence {
				r.roused()
			}
		default:
			r.roused()
		}
	case pRouseClear:
		r.store(slotWord(p.i, sWaiting), 0)
		r.roused()
	case pRouseNeeds:
		if r.load(slotWord(p.i, sNeedsFence)) != 0 {
			r.takeFence(pWakeWaiting)
			if p.pc == pTakeFence {
				return
			}
		}
		r.roused()
	case pDropFence:
		r.fenced(aMode, modeSleeper)
		p.pc = pNext
	case pTakeFence:
		r.store(aMode, modeProducer)
		p.pc, p.afterRefresh = p.afterRefresh, off
		if p.pc == pWakeWaiting {
			r.roused()
		}
	}
}

// rouse: waiting, then the bell, then the kernel.
func (r *run) rouse(then pc) {
	p := &r.p
	p.afterRouse = then
	if !r.is(WaitingAfterBell) {
		r.store(slotWord(p.i, sWaiting), 0)
	}
	p.pc = pRouseAdd
	if r.is(NoBell) {
		p.pc = pRouseWake
	}
}

func (r *run) roused() {
	p := &r.p
	then := p.afterRouse
	p.afterRouse = off
	if then == pRingWaiting {
		r.ringFrom(p.i + 1)
	} else {
		r.wakeFrom(p.i+1, pNext)
	}
}

// wakeFrom goes to the next consumer in the list; behind the last, on.
func (r *run) wakeFrom(i uint8, then pc) {
	p := &r.p
	for ; i < r.slots; i++ {
		if p.list[i].generation != 0 {
			p.i, p.pc = i, pWakeWaiting
			return
		}
	}
	p.i, p.pc = 0, then
	if p.closing {
		p.pc = pState
	}
}

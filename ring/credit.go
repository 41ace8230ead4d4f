package ring

import (
	"context"
	"os"
	"time"
)

// credit tries to get the right to write below need. It announces nothing it
// may not use: a horizon that ran ahead on every try would make every join
// fail and tell lossy consumers of losses that never were. Credit that the
// consumers limit to less than need + spare is refused, too.
func (p *Producer) credit(need, spare uint64) bool {
	p.plain = 0
	p.bury()
	step, most := p.sixteenth(), p.pos+p.capacity
	room := min(addSat(p.gate(), p.capacity), most)
	if room < min(need+spare, most) {
		return false
	}
	target := min((need+step-1)/step*step, room)
	if target > p.horizon {
		// Where a successor resumes comes before the space is opened: what the
		// horizon admits may overwrite every older point (row 3).
		p.copy ^= 1
		p.storePoint(resumeAt(p.copy), point{p.first, p.pos})
		p.horizon = target
		fenced64(p.word(offHorizon), target)
	} else {
		fence()
	}
	// Again, behind the fence: whoever joined without seeing this horizon is
	// seen now (rows 5 and 6).
	p.limit = min(p.horizon, addSat(p.gate(), p.capacity))
	if p.limit < need {
		return false
	}
	p.gates.relieve()
	return true
}

// waitCredit waits until a record may be written below need. While it still
// spins it holds out for more: at a full ring, credit for one record at a time
// would cost a horizon and a look at every consumer's cursor for each.
func (p *Producer) waitCredit(ctx context.Context, need uint64) error {
	return p.waitGate(ctx, need-p.capacity, func(patient bool) bool {
		if patient {
			return p.credit(need, p.capacity/8)
		}
		return p.credit(need, 0)
	})
}

// waitGate waits until enough says so, for which every gating cursor has to
// reach target, at most P0. enough may hold out for more while it is told that
// there is time: during the first spin, once.
func (p *Producer) waitGate(ctx context.Context, target uint64, enough func(patient bool) bool) error {
	p.stats.waits++
	plain64(p.word(offCreditWaits), p.stats.waits)
	spin := p.ladder.start(load32(p.word32(offConsumers)))
	asleep := false
	defer func() {
		if asleep {
			store64(p.word(offWakeAt), 0)
			store64(p.word(offNeedAt), 0)
		}
		plain32(p.word32(offWaitingFor), 0)
	}()
	seen := uint64(0)
	for turn := 1; ; turn++ {
		alarm := p.alarm.load()
		patient := turn < spinLooks && spin.spin
		if enough(patient) || p.obstacles(target) && enough(patient) {
			return nil
		}
		if err := p.section.over(); err != nil {
			return err
		}
		g := p.slowest(target)
		if g != nil {
			plain32(p.word32(offWaitingFor), uint32(g.slot)+1)
			plain32(p.word32(offWaitedFor), uint32(g.slot)+1)
			if g.cursor != seen {
				seen = g.cursor
				spin.progress()
			}
		}
		if spin.again() {
			if turn%64 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		}
		if g == nil {
			continue // it has moved meanwhile, or is gone
		}
		if err := p.alarm.watch(ctx); err != nil {
			return err
		}
		if !asleep {
			asleep = true
			p.announce(target)
			continue // look again behind the fence
		}
		if p.dead(g) { // the notice of its death may have come before it was in the list
			p.refresh()
			continue
		}
		if p.sleepOn(g, target, alarm) || turn%idleTurns == 0 {
			if err := p.intact(); err != nil {
				return err
			}
		}
	}
}

// slowest is the gating consumer that is furthest behind, if that is below target.
func (p *Producer) slowest(target uint64) (slow *gate) {
	for i := range p.gates.list {
		if g := &p.gates.list[i]; g.gates && g.cursor < target && (slow == nil || g.cursor < slow.cursor) {
			slow = g
		}
	}
	return slow
}

// announce says that the producer is about to sleep: a consumer whose cursor
// crosses wakeAt wakes it. wakeAt lies an eighth of the ring beyond what is
// needed, so that a full ring does not cost a sleep for every record, but
// never above P0, which is all that anybody can reach. Then the fence: a
// consumer's cursor store and its look at wakeAt have none between them
// (rows 13 and 14).
func (p *Producer) announce(target uint64) {
	store64(p.word(offNeedAt), target)
	fenced64(p.word(offWakeAt), min(target+p.capacity/8, p.pos))
	p.gates.blind = kernel.Barrier() != nil && p.gates.anyExpedited()
	// Whoever sleeps on views that this producer waits for has to hear of it.
	for i := range p.gates.list {
		if g := &p.gates.list[i]; g.gates && g.cursor < target && load32(g.waiting) != 0 {
			p.rouse(g)
		}
	}
}

func (p *Producer) sleepOn(g *gate, target uint64, alarm uint32) (timeout bool) {
	cursor := load64(g.cursorWord)
	if cursor >= target {
		return false
	}
	bound := sleepBound
	if p.gates.blind {
		bound = blindSlice
	}
	for i := range p.gates.list {
		if g := &p.gates.list[i]; g.deadline > 0 && !g.since.IsZero() {
			bound = sooner(bound, g.deadline-time.Since(g.since))
		}
	}
	return p.alarm.sleep(low(g.cursorWord), uint32(cursor), alarm, bound)
}

// sooner is the smaller of two bounds, of which a negative one is none.
func sooner(a, b time.Duration) time.Duration {
	if a < 0 {
		return max(b, 0)
	}
	return min(a, max(b, 0))
}

// sleepBound bounds every sleep, as belt and braces: nothing depends on it,
// and the tests of lost wakes switch it off (negative: no bound).
var sleepBound = 250 * time.Millisecond

// blindSlice bounds a sleep whose sleeper may not issue the membarrier that
// the other side counts on: there the slices are the mechanism.
const blindSlice = 5 * time.Millisecond

// Drain waits until every consumer that gates has released everything that is
// committed. When ctx ends first, the error is a *LagError that names who lags.
func (p *Producer) Drain(ctx context.Context) error {
	if !p.enter() {
		return guarded(&p.section, func() error { return p.Drain(ctx) })
	}
	defer p.leave()
	return p.meet(ctx)
}

// meet is Drain within a call. A rendezvous ends each commit with it.
func (p *Producer) meet(ctx context.Context) error {
	if ctx == nil { // nothing was reserved, or by TryReserve
		ctx = context.Background()
	}
	err := p.waitGate(ctx, p.pos, func(bool) bool {
		p.bury()
		return p.gate() >= p.pos
	})
	p.gates.relieve()
	if err == nil || err == os.ErrClosed {
		return err
	}
	lag := &LagError{Err: err}
	for i := range p.gates.list {
		g := &p.gates.list[i]
		if g.gates && g.cursor < p.pos {
			s := p.consumerStats(g.slot, p.first, p.pos)
			lag.Consumers = append(lag.Consumers, Lagging{Name: s.Name, Policy: s.Policy, Records: s.Lag, Bytes: p.pos - g.cursor})
		}
	}
	return lag
}

// WaitConsumers waits until at least n live consumers, of any policy, are
// attached at once.
func (p *Producer) WaitConsumers(ctx context.Context, n int) error {
	if !p.enter() {
		return guarded(&p.section, func() error { return p.WaitConsumers(ctx, n) })
	}
	defer p.leave()
	for {
		if p.attached() >= n {
			return nil
		}
		if err := p.section.over(); err != nil {
			return err
		}
		// Waiting for people to start programs: a look each millisecond is as
		// good as a bell of its own would be.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// attached counts the consumers that live and have found their place: whoever
// joins at the latest record must not find that it was published meanwhile.
func (p *Producer) attached() (n int) {
	p.gate()
	for i := range p.gates.list {
		if load64(p.slotWord(p.gates.list[i].slot, slotSequence)) == 0 {
			continue
		}
		if alive, err := p.backing.slotLives(p.gates.list[i].slot); alive || err != nil {
			n++
		}
	}
	return n
}

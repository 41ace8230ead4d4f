package model

import "fmt"

// What is true at every step. Who breaks one of these fails the exploration.

// committed is called when a commit word becomes visible.
func (r *run) committed(slot uint8) {
	r.w.next, r.w.end = r.w.pending[slot].seq, r.w.pending[slot].pos
	r.w.pending[slot] = point{}
}

// announcedLawfully: no byte is announced that nobody could have had credit
// for, and a successor finds a point within a lap of the horizon.
func (r *run) announcedLawfully(at uint8) {
	if at != aHorizon && (at < aResume || at >= aResume+6) {
		return
	}
	if horizon := r.mem[aHorizon]; horizon > r.w.end+r.units {
		r.fail("horizon %d more than a lap beyond P0 %d", horizon, r.w.end)
	}
}

// credited: what is announced is what the gates allow. Else others are told of
// losses that never were.
func (r *run) credited(gate uint8) {
	if target := r.p.value; target > sat(gate, r.units) {
		r.fail("horizon %d announced, and the slowest gate is at %d", target, gate)
	}
}

// admitted: who was told that it is evicted never gates again.
func (r *run) admitted(generation, slot uint8) {
	if r.load(aEvicted+2*slot+1) == generation {
		r.fail("a producer gates upon a consumer that was told of its eviction")
	}
}

// accept: everything viewed was whole, and comes next.
func (r *run) accept() {
	c := r.consumer()
	if c.torn {
		r.fail("accepted a torn record")
		return
	}
	if r.consumers[r.who-1].leaves != 0 {
		c.received += c.seq - c.given
	}
	c.given = c.seq
	if c.seq > r.w.next {
		r.fail("accepted a record that was not committed")
	}
}

// lost: the loss is told by whom it may happen to, and exactly.
func (r *run) lost(from, to uint8) {
	c := r.consumer()
	c.torn = false
	if to < from {
		r.fail("resync: back to records that were accepted")
		return
	}
	if r.policy() != lossy {
		r.fail("records %d to %d lost by a consumer that gates", from, to-1)
	}
}

// truePoint: the record with this sequence, or the filler before it, begins
// here.
func (r *run) truePoint(p point) bool {
	if p.seq == 0 || p.seq > r.w.next {
		return false
	}
	first, last := uint8(0), r.w.end
	if p.seq > 1 {
		rec := r.w.log[(p.seq-1)%maxRecords]
		first = rec.pos + rec.size
	}
	if p.seq < r.w.next {
		last = r.w.log[p.seq%maxRecords].pos
	}
	return first <= p.pos && p.pos <= last
}

// checkEnd: io.EOF comes behind everything.
func (r *run) checkEnd() {
	if c := r.consumer(); r.w.closed&(1<<c.seq) == 0 {
		r.fail("io.EOF before record %d, where no Close ended the stream", c.seq)
	}
}

// checkDeath: a death is told behind everything that was committed.
func (r *run) checkDeath() {
	if c := r.consumer(); c.seq != r.w.next {
		r.fail("ErrProducerDied before record %d, which was committed", c.seq)
	}
	if r.w.ended {
		r.fail("ErrProducerDied, and the stream had ended well")
	}
}

// wellFormed is what a header must be to be believed.
func (m *machine) wellFormed(pos, meta uint8) bool {
	kind, size, at := meta>>4, meta&15, pos%m.units
	switch {
	case size == 0 || at+size > m.units:
		return false
	case kind == kindPad:
		return at != 0 && at+size == m.units
	}
	return kind == kindRecord || kind == kindEOS && size == 2
}

// done: nothing more has to happen.
func (m *machine) done(s *State) bool {
	if !s.w.finished && !s.w.idle && (s.p.pc != off || s.w.restarts > 0) {
		return false
	}
	for i := range m.consumers {
		if !m.rests(s, uint8(i)) {
			return false
		}
	}
	return true
}

// rests tells whether a consumer has ended or has a reason to wait.
func (m *machine) rests(s *State, i uint8) bool {
	c := &s.c[i]
	switch {
	case c.pc == off:
		return true
	case c.pc == cAsleep:
		return s.w.idle && s.w.alive && c.seq == s.w.next && s.w.cancelled[i] != 2 && s.buf[0].n == 0
	case c.pc == cWaitAsleep:
		return !s.w.alive && s.w.restarts == 0 && s.mem[aEpoch] == c.epoch
	}
	return false
}

func (r *run) fail(format string, args ...any) {
	if r.fault == "" {
		r.fault = fmt.Sprintf(format, args...)
	}
}

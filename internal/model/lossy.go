package model

// Finding a place in the stream: resync of a lapped consumer, choose for it
// and for joins.

func (r *run) resyncFrom() {
	c := r.consumer()
	c.viewed, c.meta, c.tag, c.held = 0, 0, 0, point{}
	c.early, c.earlyAt = 0, 0
	c.pc = cResyncPassed
}

func (r *run) resync() {
	c := r.consumer()
	if r.passed(r.load(aHorizon), c.pos) {
		r.chooseFrom()
		return
	}
	r.jump(point{c.seq, c.pos})
}

// jump goes on at a point and accounts for what lies before it.
func (r *run) jump(to point) {
	c := r.consumer()
	if !r.truePoint(to) {
		r.fail("resync: to a place where no frame begins, or under another sequence")
		return
	}
	lossless := to.seq == c.given
	r.lost(c.given, to.seq)
	c.pos, c.seq, c.given = to.pos, to.seq, to.seq
	c.place = point{}
	back := c.back
	c.back = off
	switch {
	case back == off:
		r.move(c.pos, cCommit)
	case lossless:
		r.move(c.pos, back)
	default:
		c.seen = 0
		r.awake(cCommit)
		r.move(c.pos, cCommit)
	}
}

func (r *run) chooseFrom() {
	c := r.consumer()
	c.oldest, c.half, c.newest, c.place = point{}, point{}, point{}, point{}
	c.words, c.same, c.i, c.part, c.last, c.at, c.horizon = [6]uint8{}, false, 0, 0, 0, 0, 0
	c.pc = cChooseHorizon
}

// pointAt is where point i lies: checkpoints, then the two resume points.
func (m *machine) pointAt(i uint8) uint8 {
	if i < m.points {
		return aCheckpoint + 3*i
	}
	return aResume + 3*(i-m.points)
}

func (r *run) choose() {
	c := r.consumer()
	switch c.pc {
	case cChooseHorizon:
		c.horizon = r.load(aHorizon)
		c.pc = cChooseWord
		if !r.words {
			c.pc = cKept
		}
	case cChooseWord:
		c.words[c.i] = r.load(aResume + c.i)
		if c.i++; c.i == 6 {
			c.i = 0
			c.pc = cKept
		}
	case cKept:
		c.bound = r.load(aHorizon)
		c.pc = cPoint
	case cPoint:
		r.loadPoint()
	case cChoosePassed:
		if r.passed(r.load(aHorizon), c.place.pos) {
			r.chooseFrom()
			return
		}
		r.chosen()
	case cNoneHorizon:
		if r.load(aHorizon) != c.horizon {
			r.chooseFrom()
			return
		}
		c.pc = cNoneWord
	case cNoneWord:
		if r.load(aResume+c.i) != c.words[c.i] {
			r.chooseFrom()
			return
		}
		if c.i++; c.i == 6 {
			r.fail("choose: ErrCorrupt, and nothing was corrupt")
		}
	}
}

// loadPoint reads the three words in reverse.
func (r *run) loadPoint() {
	c := r.consumer()
	at := r.pointAt(c.i)
	forward := r.is(PointForward)
	switch c.part {
	case 0:
		c.last = r.load(at + 2)
		if forward {
			c.last = r.load(at)
		}
		c.part = 1
		return
	case 1:
		c.at = r.plainLoad(at + 1)
		c.part = 2
		if r.is(PointTwoWords) {
			break
		}
		return
	}
	first := c.last
	switch {
	case forward:
		first = r.load(at + 2)
	case !r.is(PointTwoWords):
		first = r.load(at)
	}
	p := point{first, c.at}
	if first == c.last && first != 0 && (c.bound <= sat(p.pos, r.units) || r.is(PointNotFiltered)) {
		r.keep(p)
	}
	c.part, c.last, c.at = 0, 0, 0
	if c.i++; c.i < r.points+2 {
		return
	}
	r.pick()
}

// keep sorts a point into what a pick can want of them all: the oldest, the
// oldest in the newer half of the lap, the newest.
func (r *run) keep(p point) {
	c := r.consumer()
	if c.newest.seq == 0 || p.pos >= c.newest.pos {
		c.newest = p
	}
	if c.oldest.seq == 0 || p.pos < c.oldest.pos {
		c.oldest = p
	}
	if sat(p.pos, r.units/2) >= c.horizon && (c.half.seq == 0 || p.pos < c.half.pos) {
		c.half = p
	}
}

func (r *run) pick() {
	c := r.consumer()
	c.i = 0
	switch {
	case c.newest.seq == 0:
		c.pc = cNoneHorizon
		if !r.words {
			r.chooseFrom()
		}
		return
	case !r.joinedOnce():
		c.place = c.newest
		if r.consumers[r.who-1].oldest {
			c.place = c.oldest
		}
	case c.half.seq != 0:
		c.place = c.half
	default:
		c.place = c.newest
	}
	c.horizon, c.bound = 0, 0
	c.oldest, c.half, c.newest = point{}, point{}, point{}
	c.words = [6]uint8{}
	c.pc = cChoosePassed
}

// chosen goes on with what needed a point.
func (r *run) chosen() {
	c := r.consumer()
	switch {
	case r.joinedOnce():
		r.jump(c.place)
	case !c.announced:
		c.pc = cJoinGeneration
	default:
		r.move(c.place.pos, cJoinFence)
	}
}

// joinedOnce tells a resync from a join.
func (r *run) joinedOnce() bool { return r.consumer().seq != 0 }

package ring

import "fmt"

// resync puts a lapped consumer in order again: where it stands, if only what
// it holds was passed, else at a point that the horizon has not passed. All it
// viewed and did not release is among the lost. nil: nothing that it was
// waiting for was lost.
//
// Of the points that are left it takes the first in the newer half of the lap:
// an older one would be passed again before it is read, a newer one throws
// away what could still be had.
func (c *Consumer) resync() error {
	c.viewed = 0
	from := max(c.given+c.uncounted, c.first) // what was not asked for is not lost
	var to point
	if c.passed(c.pos) {
		var err error
		if to, err = c.choose(func(points []point, horizon uint64) point {
			for _, p := range points {
				if addSat(p.pos, c.capacity/2) >= horizon {
					return p
				}
			}
			return points[len(points)-1]
		}); err != nil {
			c.err = err
			return err
		}
		if to.pos < c.pos || to.seq < c.seq {
			c.err = fmt.Errorf("%w: lapped at record %d, position %d, and resumed from record %d, position %d", ErrCorrupt, c.seq, c.pos, to.seq, to.pos)
			return c.err
		}
	} else {
		to = point{c.seq, c.pos}
	}
	return c.jump(from, to)
}

// jump goes on at a point and accounts for the records before it.
func (c *Consumer) jump(from uint64, to point) error {
	c.unseen += to.seq - c.given
	c.pos, c.seq, c.given, c.uncounted = to.pos, to.seq, to.seq, 0
	plain64(c.slotWord(c.slot, slotSequence), c.seq)
	var overrun error
	if to.seq > from {
		lost := to.seq - from
		c.lost += lost
		plain64(c.slotWord(c.slot, slotLost), c.lost)
		overrun = &OverrunError{Lost: lost, From: from, To: to.seq - 1}
	}
	c.move(c.pos)
	return overrun
}

// choose picks among the points that are kept and makes sure, behind the
// picking, that it is kept still. It ends: if nothing changes and there is no
// point, the words are corrupt; and a horizon that passes every point so often
// is moved by somebody who does not write records.
func (c *Consumer) choose(pick func(kept []point, horizon uint64) point) (point, error) {
	var buf [checkpoints + 2]point
	for range patience {
		horizon := load64(c.word(offHorizon))
		words := c.resumeWords()
		if points := c.kept(buf[:]); len(points) > 0 {
			p := pick(points, horizon)
			if fenceLoad(); !c.passed(p.pos) {
				return p, nil
			}
			continue
		}
		if load64(c.word(offHorizon)) == horizon && c.resumeWords() == words {
			return point{}, fmt.Errorf("%w: no point to resume from: horizon %d, resume points (sequence, position, sequence) %v", ErrCorrupt, horizon, words)
		}
	}
	return point{}, fmt.Errorf("%w: the horizon passed every point in %d tries to join the stream", ErrCorrupt, patience)
}

// patience is how often to try what only a producer in full flight can foil.
const patience = 1 << 16

func (a *attachment) resumeWords() (w [6]uint64) {
	for i := range w {
		w[i] = load64(a.word(offResume + uint64(i)*8))
	}
	return w
}

package ring

import "slices"

// A point is a place in the stream from which it can be walked: the record
// with this sequence, or the filler before it, begins at this position.
type point struct {
	seq, pos uint64
}

// farthest is beyond every sequence and position that a producer reaches: at
// 100 GB/s that takes 4 years. Points beyond it are somebody's invention, and
// none below it overflows within a year: nothing else looks for that.
const farthest = 3 << 62

// storePoint writes a point as sequence, position, sequence, each a release
// store; loadPoint reads the three in reverse and refuses them when the
// sequences differ. Two plain words would be read torn. (Rows 3 and 4 of the
// ordering table.)
func (a *attachment) storePoint(off uint64, p point) {
	store64(a.word(off), p.seq)
	store64(a.word(off+8), p.pos)
	store64(a.word(off+16), p.seq)
}

func (a *attachment) loadPoint(off uint64) (p point, ok bool) {
	last := load64(a.word(off + 16))
	p.pos = load64(a.word(off + 8))
	p.seq = load64(a.word(off))
	return p, p.seq == last && p.seq != 0 && p.pos%16 == 0 && max(p.seq, p.pos) < farthest
}

// resume is the newer valid of the two resume points, and which copy it is.
func (a *attachment) resume() (p point, copy int, ok bool) {
	for i := range 2 {
		if q, valid := a.loadPoint(resumeAt(i)); valid && (!ok || q.pos >= p.pos) {
			p, copy, ok = q, i, true
		}
	}
	return p, copy, ok
}

// kept returns the points from which the stream can be walked now, oldest
// first: what the horizon, loaded first, has not passed. There is always one,
// because the producer writes the resume point before it raises the horizon
// and never raises it above resume + capacity; none is a sign of corruption,
// or of a producer that moved on twice meanwhile.
func (a *attachment) kept(into []point) []point {
	horizon := load64(a.word(offHorizon))
	points := into[:0]
	add := func(p point, ok bool) {
		if ok && horizon <= addSat(p.pos, a.capacity) {
			points = append(points, p)
		}
	}
	for i := range uint64(checkpoints) {
		add(a.loadPoint(checkpointAt(i)))
	}
	for i := range 2 {
		add(a.loadPoint(resumeAt(i)))
	}
	slices.SortFunc(points, func(x, y point) int {
		switch {
		case x.pos < y.pos:
			return -1
		case x.pos > y.pos:
			return 1
		}
		return 0
	})
	return points
}

// passed tells whether bytes at pos may have been overwritten: the producer
// has announced that it goes further than a lap beyond them. Callers that have
// read payload put fenceLoad between that and this (row 7).
func (a *attachment) passed(pos uint64) bool {
	return load64(a.word(offHorizon)) > addSat(pos, a.capacity)
}

// addSat adds a distance to a position. Nothing wraps: no position may ever
// look as if it were behind another.
func addSat(pos, d uint64) uint64 {
	if pos > ^uint64(0)-d {
		return ^uint64(0)
	}
	return pos + d
}

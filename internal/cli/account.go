package cli

import "slices"

// account is what a consumer has to show for itself: what came, what is known
// to be lost, and whether the order was right.
type account struct {
	received, bytes     uint64
	lost                uint64
	firstLost, lastLost uint64 // sequences, 0: none
	torn                uint64
	outOfOrder          uint64
	duplicates          uint64

	// filtered: gaps are records of other types.
	filtered bool
	// unordered: others take records too, and the order is the medium's.
	unordered bool
	next      uint64 // sequence after the last one seen or lost, 0: not begun
	gaps      []gap  // what was passed by, in order
}

// gap is a range of sequences, both included. lost: they count as such.
type gap struct {
	from, to uint64
	lost     bool
}

// maxGaps is how many ranges are remembered to tell a latecomer from a
// duplicate; the oldest are forgotten.
const maxGaps = 1024

// arrived counts record seq with n bytes of payload, which was whole.
func (a *account) arrived(seq uint64, n int) {
	a.received++
	a.bytes += uint64(n)
	switch {
	case a.unordered:
	case a.next == 0 || seq == a.next:
		a.next = seq + 1
	case seq > a.next:
		if a.filtered {
			a.pass(a.next, seq-1, false)
		} else {
			a.missed(a.next, seq-1) // nobody said so: lost in silence
		}
		a.next = seq + 1
	case a.inGap(seq):
		a.outOfOrder++ // and, if it was counted as lost, found again: see inGap
	default:
		a.duplicates++
	}
}

// missed counts the records from and to, both included, as lost.
func (a *account) missed(from, to uint64) {
	if to < from {
		return
	}
	a.lost += to - from + 1
	if a.firstLost == 0 || from < a.firstLost {
		a.firstLost = from
	}
	a.lastLost = max(a.lastLost, to)
	a.pass(from, to, true)
	a.next = max(a.next, to+1)
}

// damaged counts record seq as torn: it came, and was not what was published.
func (a *account) damaged(seq uint64) {
	a.torn++
	a.pass(seq, seq, false)
	a.next = max(a.next, seq+1)
}

func (a *account) pass(from, to uint64, lost bool) {
	if len(a.gaps) == maxGaps {
		a.gaps = slices.Delete(a.gaps, 0, maxGaps/2)
	}
	a.gaps = append(a.gaps, gap{from, to, lost})
}

// inGap tells whether seq was passed by, and forgets that it was: it is not
// lost any more if it was counted so.
func (a *account) inGap(seq uint64) bool {
	for i, g := range a.gaps {
		if seq < g.from || seq > g.to {
			continue
		}
		a.gaps = slices.Delete(a.gaps, i, i+1)
		if g.lost {
			if a.lost--; a.lost == 0 {
				a.firstLost, a.lastLost = 0, 0
			}
		}
		if g.from < seq {
			a.gaps = append(a.gaps, gap{g.from, seq - 1, g.lost})
		}
		if seq < g.to {
			a.gaps = append(a.gaps, gap{seq + 1, g.to, g.lost})
		}
		return true
	}
	return false
}

// seam forgets the order: another stream begins.
func (a *account) seam() { a.next, a.gaps = 0, nil }

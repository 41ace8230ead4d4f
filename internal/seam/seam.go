// Package seam leads to the few things inside of package ring that tests of
// whole processes turn and that users have no business with. The ring sets the
// pointers when the program starts; whoever stores through them does so before
// any ring is made or opened.
package seam

import "time"

var (
	// SleepBound bounds every sleep of the ring. Negative: nothing does, so that
	// a lost wake is a hang.
	SleepBound *time.Duration
	// FirstSequence and FirstPosition are where a ring that is made begins. The
	// position is a multiple of 16.
	FirstSequence, FirstPosition *uint64
)

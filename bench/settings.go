package main

import "time"

// settings are those of all measurements of a run.
type settings struct {
	prefix string        // of the names of links
	dir    string        // where programs and links are
	span   time.Duration // of a measurement
	cpus   [2]int        // of the sides; unpinned
	native error         // why there are no programs in C; nil: there are
}

func (s settings) pinned() bool { return s.cpus[0] != unpinned }

// spanOf is how long an entry is measured.
func (s settings) spanOf(e entry) time.Duration {
	if e.calm {
		return max(s.span, calmSpan)
	}
	return s.span
}

// calmSpan is long enough for a process that wakes a few times a second.
const calmSpan = time.Second

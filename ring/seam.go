package ring

import "github.com/carousel-ipc/carousel/internal/seam"

// origin is where a ring that is made begins: tests move it, to see sequences
// and positions come past the widths of words.
var origin = point{seq: 1}

func init() {
	seam.SleepBound = &sleepBound
	seam.FirstSequence, seam.FirstPosition = &origin.seq, &origin.pos
}

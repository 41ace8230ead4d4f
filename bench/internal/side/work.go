package side

import "runtime"

// A work is what the sides do with their ends.
type work struct {
	sides [2]func(End, Job) (Outcome, error)
	// all, where it is not nil, is what the receiving process does, which makes
	// its ends itself.
	all func(Contestant, Job) (Outcome, error)
}

// works is all of them by the name that jobs use.
var works = map[string]work{
	"one way":    {sides: [2]func(End, Job) (Outcome, error){stream, drain}},
	"round trip": {sides: [2]func(End, Job) (Outcome, error){ping, echo}},
	"paced":      {sides: [2]func(End, Job) (Outcome, error){pace, follow}},
	"publish":    {sides: [2]func(End, Job) (Outcome, error){bursts, drain}},
	"idle":       {sides: [2]func(End, Job) (Outcome, error){hold, nil}, all: sleepers},
}

// warmup is how many messages grow buffers and page code in before anybody
// looks at the clock, stride how many are sent between two looks of the sender.
func warmup(size int) uint64 {
	if size <= 4096 {
		return 1 << 14
	}
	return 1 << 8
}

func stride(size int) uint64 {
	if size <= 4096 {
		return 1 << 10
	}
	return 1 << 4
}

// allocations is how many there have been in this process.
func allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

package ring

import "github.com/carousel-ipc/carousel/frame"

// Record is one record as a consumer sees it. Its payload is a view into the
// ring (Next) or a copy (Read).
type Record = frame.Record

// Header is what a producer says of a record besides its payload.
type Header struct {
	// Type belongs to the application; consumers can filter on it.
	Type uint16
	// More says that the next record continues this one; Continues, that this
	// one continues the record before, which had More. WriteChain sets both.
	More, Continues bool
}

func (h Header) flags() frame.Flags {
	var f frame.Flags
	if h.More {
		f |= frame.More
	}
	if h.Continues {
		f |= frame.Cont
	}
	return f
}

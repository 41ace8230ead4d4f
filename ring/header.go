package ring

import "github.com/carousel-ipc/carousel/frame"

// Record is one record as a consumer sees it: its number in the field Sequence,
// and the methods Payload, Len, Type and Flags (see frame.Record). The payload
// is a view into the ring (Next, Records of a reliable consumer), valid until
// it is released, or a copy (Read, Records of the others).
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

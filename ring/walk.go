package ring

import (
	"fmt"

	"github.com/carousel-ipc/carousel/frame"
)

// header looks at the header of a committed frame at pos, without its payload,
// and tells where the following one begins and whether this one consumes a
// sequence. The meta word was loaded once, by the caller. Everything is
// checked against the private geometry before it is used: frames do not cross
// the wrap, fillers end there.
func (a *attachment) header(pos uint64, m frame.Meta) (end uint64, counts bool, err error) {
	if err := m.Check(a.maxPayload); err != nil {
		return 0, false, fmt.Errorf("%w at position %d: %w", ErrCorrupt, pos, err)
	}
	off, size := pos&a.mask, uint64(m.Size())
	if off+size > a.capacity {
		return 0, false, fmt.Errorf("%w at position %d: frame of %d bytes crosses the wrap, want at most %d", ErrCorrupt, pos, size, a.capacity-off)
	}
	if m.Flags()&frame.Pad != 0 {
		if off == 0 || off+size != a.capacity {
			return 0, false, fmt.Errorf("%w at position %d: filler of %d bytes, want %d, up to the wrap", ErrCorrupt, pos, size, a.capacity-off)
		}
	} else if a.checksum && m.Flags()&frame.CRC == 0 {
		return 0, false, fmt.Errorf("%w at position %d: record without a checksum in a ring that has them", ErrCorrupt, pos)
	}
	return pos + size, m.Counts(), nil
}

// walk goes from p over committed frames to the first that is not, or until
// stop says so. At most one lap: a producer in full flight cannot keep it busy
// for ever. It writes nothing.
func (a *attachment) walk(p point, stop func(point, frame.Meta) bool) (point, error) {
	for start := p.pos; p.pos-start < a.capacity; {
		if load64(a.commitWord(p.pos)) != p.seq {
			break
		}
		m := frame.Meta(load64(a.metaWord(p.pos)))
		if stop != nil && stop(p, m) {
			break
		}
		end, counts, err := a.header(p.pos, m)
		if err != nil {
			return p, err
		}
		p.pos = end
		if counts {
			p.seq++
		}
	}
	return p, nil
}

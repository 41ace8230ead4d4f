package transport

import (
	"fmt"
	"io"

	"github.com/carousel-ipc/carousel/frame"
)

// A packet is what travels at once where the medium keeps boundaries: a whole
// stream of its own, a preamble and then frames, that ends where the packet does.
type packet struct {
	epoch uint64
	next  uint64 // sequence of the frame that comes next
	rest  []byte
}

// packetOverhead is what a packet has besides frames.
const packetOverhead = frame.PreambleSize

// largestIn is the largest payload of one frame in a packet of n bytes.
func largestIn(n int, flags frame.Flags) int {
	most := (n-packetOverhead)&^(frame.Align-1) - frame.HeaderSize
	for most > 0 && packetOverhead+frame.Size(most, flags) > n {
		most--
	}
	return most
}

func openPacket(b []byte) (packet, error) {
	p, err := frame.DecodePreamble(b)
	if err != nil {
		return packet{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if p.First == 0 {
		return packet{}, fmt.Errorf("%w: wanted a first sequence from 1, found 0", ErrCorrupt)
	}
	return packet{epoch: p.Epoch, next: p.First, rest: b[frame.PreambleSize:]}, nil
}

// frame returns the next frame, which aliases the packet; io.EOF behind the
// last. After another error there is nothing more in the packet.
func (p *packet) frame() (Record, error) {
	if len(p.rest) == 0 {
		return Record{}, io.EOF
	}
	rec, n, err := frame.Decode(p.rest, frame.MaxPayload)
	switch {
	case err != nil:
		err = fmt.Errorf("%w: sequence %d: %w", ErrCorrupt, p.next, err)
	case rec.Sequence != p.next:
		err = fmt.Errorf("%w: wanted sequence %d, found %d", ErrCorrupt, p.next, rec.Sequence)
	case rec.Flags()&frame.Pad != 0, rec.Flags()&frame.EOS != 0 && n < len(p.rest):
		err = fmt.Errorf("%w: sequence %d: wanted a record, found %v", ErrCorrupt, rec.Sequence, rec.Flags())
	}
	if err != nil {
		p.rest = nil
		return Record{}, err
	}
	p.rest = p.rest[n:]
	if rec.Counts() {
		p.next++
	}
	return rec, nil
}

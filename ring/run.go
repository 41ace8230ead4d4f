package ring

import (
	"errors"
	"fmt"
	"slices"

	"github.com/carousel-ipc/carousel/frame"
)

// A Point is a place in the stream: a sequence, and the position at which its
// record begins.
type Point struct{ Sequence, Position uint64 }

// A Run is a stretch of committed frames as they lie in the ring, back to
// back: bytes that can go on a stream as they are.
type Run struct {
	Bytes    []byte // a view, under the same terms as a record's payload
	From, To Point  // of its first record, and behind its last
}

// Append appends a copy of the run to dst. Of a consumer that may be overrun or
// evicted the copy was whole only if Whole or Release says so afterwards.
func (r Run) Append(dst []byte) []byte {
	n := len(dst)
	dst = slices.Grow(dst, len(r.Bytes))[:n+len(r.Bytes)]
	copyOut(dst[n:], r.Bytes)
	return dst
}

// TryRun views the records that come next, as many as lie back to back in
// about most bytes, one at least. Fillers and the end of the stream are in no
// run. Types are not looked at, and checksums not verified: both are for
// whoever receives the bytes. It never waits; errors are those of TryNext.
func (c *Consumer) TryRun(most int) (Run, error) {
	if !c.enter() {
		return again(&c.section, func() (Run, error) { return c.TryRun(most) })
	}
	defer c.leave()
	off, m, err := c.next(never, 0, false)
	if err != nil {
		return Run{}, err
	}
	c.viewed++
	off -= frame.HeaderSize
	from := Point{c.seq - 1, c.pos - uint64(m.Size())}
	for c.follows(from.Position, uint64(most)) {
		if _, _, err = c.next(never, 0, false); err != nil {
			if errors.Is(err, ErrOverrun) || c.err != nil {
				return Run{}, err
			}
			break // whatever it is, it comes again
		}
		c.viewed++
	}
	end := off + c.pos - from.Position
	return Run{Bytes: c.ring[off:end:end], From: from, To: Point{c.seq, c.pos}}, nil
}

// follows tells whether the next frame is a record that belongs in the run
// from the position start.
func (c *Consumer) follows(start, most uint64) bool {
	if c.pos&c.mask == 0 || load64(c.commitWord(c.pos)) != c.seq {
		return false
	}
	m := frame.Meta(load64(c.metaWord(c.pos)))
	return m.Flags()&(frame.Pad|frame.EOS|frame.MustUnderstand) == 0 && c.pos+uint64(m.Size())-start <= most
}

// Whole tells, without giving anything back, whether what was viewed is still
// whole: nil, or the error that Release would return.
func (c *Consumer) Whole() error {
	if !c.enter() {
		return guarded(&c.section, c.Whole)
	}
	defer c.leave()
	if c.err != nil {
		return c.err
	}
	_, err := c.doubtful()
	return err
}

// ReleaseTo gives back what was viewed before p, a point in a run viewed or
// its end. Its error is that of Release; ErrConfig for a point that is not
// among what was viewed.
func (c *Consumer) ReleaseTo(p Point) error {
	if !c.enter() {
		return guarded(&c.section, func() error { return c.ReleaseTo(p) })
	}
	defer c.leave()
	if p.Position < c.cursor || p.Position > c.pos || p.Sequence < c.given || p.Sequence > c.seq || p.Position%frame.Align != 0 {
		return fmt.Errorf("%w: release to record %d at %d, want one from %d at %d to %d at %d",
			ErrConfig, p.Sequence, p.Position, c.given, c.cursor, c.seq, c.pos)
	}
	if p.Position == c.cursor {
		return nil
	}
	if stale, err := c.doubtful(); stale {
		return err
	}
	pos, seq := c.pos, c.seq
	if c.pos, c.seq = p.Position, p.Sequence; p.Sequence == seq {
		c.viewed = 0
	}
	c.store()
	c.pos, c.seq = pos, seq
	// Whoever releases piecemeal does not wait on the ring, where a consumer
	// wakes a producer that has enough but not all that it hoped for.
	if load64(c.word(offWakeAt)) != 0 && c.cursor >= load64(c.word(offNeedAt)) {
		kernel.Wake(low(c.slotWord(c.slot, slotCursor)))
	}
	return nil
}

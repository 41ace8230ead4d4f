//go:build explore

package ring

import (
	"testing"
)

// A cursor that goes back, or beyond what is committed, counts as what it can
// lawfully be.
func TestCursorsAreClamped(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{})
	cursor := c.slotWord(c.slot, slotCursor)
	for range 3 {
		publish(t, p, 1000)
	}
	for seq := range uint64(3) {
		expect(t, c, seq+1, 1000)
	}
	publish(t, p, 1000) // its credit was asked for with the cursor at the end
	store64(cursor, 0)
	if p.gate() != c.cursor {
		t.Errorf("a cursor that went back to 0 from %d counts as %d", c.cursor, p.gate())
	}
	store64(cursor, p.pos+1<<40)
	if p.gate() != p.pos {
		t.Errorf("a cursor beyond the end at %d counts as %d", p.pos, p.gate())
	}
	store64(cursor, p.pos)
}

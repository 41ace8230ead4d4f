package cli

import (
	"fmt"
	"time"
)

// line returns what a progress line shows now: the sum, and the rate of the
// last second or so.
func (t *tally) line(verb string) func() string {
	type look struct {
		at             time.Time
		records, bytes uint64
	}
	looks := []look{{at: time.Now()}}
	return func() string {
		now := look{time.Now(), t.records.Load(), t.bytes.Load()}
		looks = append(looks, now)
		if len(looks) > int(time.Second/interval) {
			looks = looks[1:]
		}
		old := looks[0]
		s := fmt.Sprintf("%s %s", verb, amount(now.records, now.bytes))
		if d := now.at.Sub(old.at).Seconds(); d > 0 {
			s += fmt.Sprintf("  %s/s  %s/s", scaled(float64(now.records-old.records)/d, ""), scaled(float64(now.bytes-old.bytes)/d, "B"))
		}
		if n := t.lost.Load(); n > 0 {
			s += fmt.Sprintf("  lost %d", n)
		}
		if state := t.state.Load(); state != nil && *state != "" {
			s += "  " + *state
		}
		return s
	}
}

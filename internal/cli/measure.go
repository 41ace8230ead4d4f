package cli

import (
	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/internal/monotonic"
	"github.com/carousel-ipc/carousel/transport"
)

// measure is the sink of -verify and -latency: it looks at the generator's
// records where they lie and writes nothing.
type measure struct {
	verify  bool
	latency *hdrhistogram.Histogram // nil: not asked for

	torn   uint64
	alien  uint64 // records without a time of the generator
	whole  uint64 // records with one
	staged struct {
		torn, alien uint64
		ages        []int64
	}
}

// Latencies from a nanosecond to an hour, to three digits.
const longest = int64(3600e9)

func newMeasure(verify, timed bool) *measure {
	m := &measure{verify: verify}
	if timed {
		m.latency = hdrhistogram.New(1, longest, 3)
	}
	return m
}

func (m *measure) take(rec transport.Record) (bool, error) {
	if m.latency != nil {
		if age, ok := generatedAge(rec.Payload(), rec.Sequence, monotonic.Now()); ok {
			m.staged.ages = append(m.staged.ages, age)
		} else {
			m.staged.alien++
		}
	}
	if m.verify && !verify(rec.Payload(), rec.Sequence) {
		m.staged.torn++
	}
	return rec.Flags()&frame.More == 0, nil
}

func (m *measure) keep() error {
	m.torn += m.staged.torn
	m.alien += m.staged.alien
	m.whole += uint64(len(m.staged.ages))
	for _, age := range m.staged.ages {
		_ = m.latency.RecordValue(min(max(age, 1), longest)) // always within its bounds
	}
	m.drop()
	return nil
}

func (m *measure) drop() {
	m.staged.torn, m.staged.alien, m.staged.ages = 0, 0, m.staged.ages[:0]
}

func (m *measure) idle() error                    { return nil }
func (m *measure) seam()                          {}
func (m *measure) end(bool, uint64, uint64) error { return nil }

// figures are what is known of the latency; zeros when nothing is.
func (m *measure) figures() latency {
	if m.latency == nil || m.latency.TotalCount() == 0 {
		return latency{}
	}
	h := m.latency
	return latency{
		P50:  h.ValueAtQuantile(50),
		P90:  h.ValueAtQuantile(90),
		P99:  h.ValueAtQuantile(99),
		P999: h.ValueAtQuantile(99.9),
		Max:  h.Max(),
	}
}

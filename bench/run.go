package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/carousel-ipc/carousel/bench/internal/native"
	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// repeats is how often a measurement is repeated because the processors moved
// meanwhile. The last one counts, and is marked.
const repeats = 2

// A result is what was found about an entry in all rounds.
type result struct {
	entry
	rounds map[string][]float64
	marked int   // rounds in which the processors moved
	failed error // instead of the rounds
}

func (r result) missing() bool {
	return errors.Is(r.failed, side.ErrMissing) || errors.Is(r.failed, native.ErrMissing) || errors.Is(r.failed, errors.ErrUnsupported)
}

// run measures the entries in interleaved rounds. What fails is told, and tried
// once more; what fails twice is left out from then on.
func run(ctx context.Context, entries []entry, rounds int, s settings, p *progress) (results []result, probes []float64) {
	results = make([]result, len(entries))
	for i, e := range entries {
		results[i] = result{entry: e, rounds: map[string][]float64{}}
	}
	before := probe(s.cpus)
	for round := range rounds {
		for i := range results {
			r := &results[i]
			p.show(round*len(entries)+i, rounds*len(entries), fmt.Sprintf("round %d of %d: %v", round+1, rounds, r.entry))
			if ctx.Err() != nil || r.failed != nil {
				continue
			}
			var values map[string]float64
			for try := 0; ; try++ {
				if values, r.failed = r.measure(ctx, s); r.failed != nil {
					if try == 0 && ctx.Err() == nil && !r.missing() {
						p.note(fmt.Sprintf("%v: tried again, because of %v", r.entry, r.failed))
						continue
					}
					break
				}
				after := probe(s.cpus)
				shifted := hasMoved(before, after)
				if before = after; !shifted {
					break
				}
				if try == repeats {
					r.marked++
					break
				}
			}
			for name, v := range values {
				r.rounds[name] = append(r.rounds[name], v)
			}
			if before > 0 {
				probes = append(probes, before)
			}
		}
	}
	p.done()
	return results, probes
}

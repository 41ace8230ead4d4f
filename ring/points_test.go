package ring

import "testing"

// A producer or consumer that began there would soon count past 2^64, and what
// it takes for the end of the ring would not be one.
func TestPointsThatNobodyReachesAreRefused(t *testing.T) {
	for name, p := range map[string]point{
		"position": {1, ^uint64(4095)},
		"sequence": {^uint64(0) - 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRing(t, Config{Capacity: MinCapacity})
			for i := range uint64(checkpoints) {
				r.view.storePoint(checkpointAt(i), p)
			}
			for i := range 2 {
				r.view.storePoint(resumeAt(i), p)
			}
			store64(r.view.word(offHorizon), p.pos)
			_, err := r.NewProducer()
			expectErr(t, err, ErrCorrupt)
			_, err = r.NewConsumer(ConsumerConfig{From: Oldest})
			expectErr(t, err, ErrCorrupt)
		})
	}
}

package ring

import (
	"fmt"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/futex"
)

// wakesToFence changes what is often, until restore.
func wakesToFence(n uint64) (restore func()) {
	old := oftenWakes
	oftenWakes = n
	return func() { oftenWakes = old }
}

// A producer whose consumer sleeps before most records takes the fence, and
// gives it back when nobody has slept for long; no wake is lost meanwhile.
func TestFenceGoesToWhoeverPaysLess(t *testing.T) {
	if futex.Polls || !futex.Register() {
		t.Skip("SKIP: no membarrier here: the producer always pays")
	}
	defer func(d time.Duration) { sleepBound = d }(sleepBound)
	sleepBound = -1
	for _, often := range []uint64{1, 64} {
		t.Run(fmt.Sprint(often), func(t *testing.T) {
			defer wakesToFence(often)()
			r := newRing(t, Config{Capacity: 1 << 16})
			p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{Wait: Block})
			fence := func() string {
				s, err := r.Stats()
				must(t, err)
				return s.Producer.Fence
			}
			if fence() != "sleeper" {
				t.Fatal("the producer pays from the beginning")
			}
			const turns, dense = 400, 5000
			done := make(chan error)
			go func() {
				for i := range uint64(3 * (turns + dense)) {
					rec, err := c.Read(background, nil)
					if err == nil && rec.Sequence != i+1 {
						err = fmt.Errorf("record %d, want %d", rec.Sequence, i+1)
					}
					if err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
			for range 3 {
				for range turns { // each finds the consumer asleep
					_, err := p.Write([]byte("now and then"))
					must(t, err)
					must(t, p.Drain(background))
					waitFor(t, "the consumer sleeps", func() bool { return load32(c.slotWord32(c.slot, slotWaiting)) != 0 })
				}
				if fence() != "producer" {
					t.Errorf("after %d records that each had to wake somebody, the sleeper pays", turns)
				}
				for range dense / 500 { // batches: few wakes, many records
					for range 500 {
						_, err := p.Reserve(background, 12)
						must(t, err)
					}
					must(t, p.Commit())
				}
			}
			must(t, <-done)
			must(t, c.Close())
			for range 1 << 16 / 32 { // a lap, and nobody to be woken
				_, err := p.Write([]byte("to nobody"))
				must(t, err)
			}
			if fence() != "sleeper" {
				t.Error("after a lap without a wake the producer pays")
			}
		})
	}
}

package monotonic

import (
	"testing"
	"time"
)

func TestNowFollowsTheSharedClock(t *testing.T) {
	for range 100 {
		before := clock()
		now := Now()
		after := clock()
		const slack = int64(time.Millisecond)
		if now < before-slack || now > after+slack {
			t.Fatalf("Now is %d, want it from %d to %d", now, before, after)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestNowNeverGoesBack(t *testing.T) {
	last := Now()
	for range 100_000 {
		now := Now()
		if now < last {
			t.Fatalf("%d after %d", now, last)
		}
		last = now
	}
}

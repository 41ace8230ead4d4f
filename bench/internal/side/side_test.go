package side

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAJobIsReadAsItWasWritten(t *testing.T) {
	j := Job{
		Contestant: "ring, Write and Read", Work: "one way", Mode: "two lines", Side: 1, Sides: 3, Link: "a-1", Dir: "/tmp/a=b",
		CPUs: []int{0, 3}, Span: 3 * time.Second, Size: 64, Batch: 32, Consumers: 2, Rate: 1000, Trace: true,
	}
	for _, j := range []Job{j, {}} {
		found, err := ParseJob(j.String())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(j, found); diff != "" {
			t.Errorf("wanted -, found +:\n%s", diff)
		}
	}
	if _, err := ParseJob("side=one\n"); err == nil {
		t.Error("of a side that is no number: found no error")
	}
}

// Every word of a message is compared, at every size.
func TestAWrongWordIsFound(t *testing.T) {
	for _, size := range []int{8, 32, 64, 72, 1024} {
		b := make([]byte, size)
		Fill(b, 7)
		if !Holds(b, 7, size) || Holds(b, 8, size) || Holds(b, 7, size+8) {
			t.Errorf("%d bytes: wanted message 7 and no other", size)
		}
		for i := range b {
			b[i] ^= 1
			if Holds(b, 7, size) {
				t.Errorf("%d bytes: byte %d is wrong, wanted that to be found", size, i)
			}
			b[i] ^= 1
		}
	}
}

func TestALatencyIsKeptInBounds(t *testing.T) {
	for v, want := range map[int64]int64{-5: 1, 0: 1, 17: 17, int64(2 * time.Hour): int64(longest)} {
		if found := clamp(v); found != want {
			t.Errorf("of %d: found %d, want %d", v, found, want)
		}
	}
	if cost := clockCost(); cost < 0 || cost > int64(time.Millisecond) {
		t.Errorf("found a clock that costs %d ns", cost)
	}
}

package ring

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestHoleIsAnError: of records that somebody has zeroed, a consumer is told,
// instead of waiting for what nobody will write anew.
func TestHoleIsAnError(t *testing.T) {
	for _, wait := range []Wait{Adaptive, Block, Yield} {
		t.Run(wait.String()+"/slots", func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "r")
			r, err := CreateFile(path, Config{Capacity: 1 << 16})
			must(t, err)
			p, err := r.NewProducer()
			must(t, err)
			c, err := r.NewConsumer(ConsumerConfig{Wait: wait})
			must(t, err)
			for range 800 { // most of a lap: the producer needs to hear of it
				publish(t, p, 50)
				expect(t, c, p.Sequence()-1, 50)
			}
			punch(t, path+".slots", 0, 1<<16)
			_, err = c.Next(background)
			expectErr(t, err, ErrCorrupt)
			must(t, c.Close())
			for range 2000 {
				publish(t, p, 50)
			}
			must(t, p.Close())
			must(t, r.Close())
		})
		for _, policy := range []Policy{Reliable, Deadline(time.Hour), Lossy} {
			t.Run(wait.String()+"/"+policy.String(), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "r")
				r, err := CreateFile(path, Config{Capacity: 1 << 16})
				must(t, err)
				p, err := r.NewProducer()
				must(t, err)
				c, err := r.NewConsumer(ConsumerConfig{Wait: wait, Policy: policy})
				must(t, err)
				for range 10 {
					publish(t, p, 50)
				}
				expect(t, c, 1, 50)
				punch(t, path+".ring", int64(r.view.ringStart()), 1<<16)
				begun := time.Now()
				_, err = c.Next(background)
				expectErr(t, err, ErrCorrupt)
				if took := time.Since(begun); took > time.Second {
					t.Errorf("told after %v", took)
				}
				must(t, c.Close())
				must(t, p.Close())
				must(t, r.Close())
			})
		}
	}
}

func punch(t *testing.T, path string, at, n int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	must(t, unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, at, n))
	must(t, f.Close())
}

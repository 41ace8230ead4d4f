package ring

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/frame"
)

// What runs bring, behind a preamble, is a stream of all records, however much
// is taken at once and given back piecemeal.
func TestRunsAreTheStream(t *testing.T) {
	for _, policy := range []Policy{Reliable, Deadline(time.Hour), Lossy} {
		for _, checksum := range []bool{false, true} {
			r := newRing(t, Config{Capacity: MinCapacity, Checksum: checksum})
			p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{Policy: policy})
			rng := rand.New(rand.NewPCG(1, 2))
			stream := frame.Preamble{First: 1}.Append(nil)
			runs := 0
			take := func() {
				run, err := c.TryRun(1 + rng.IntN(2000))
				for err == nil {
					runs++
					stream = run.Append(stream)
					if uint64(len(run.Bytes)) != run.To.Position-run.From.Position || run.To.Sequence <= run.From.Sequence {
						t.Fatalf("%d bytes from %+v to %+v", len(run.Bytes), run.From, run.To)
					}
					must(t, c.Whole())
					if policy == Lossy {
						must(t, c.Release())
					} else {
						_, m, err := frame.Peek(run.Bytes, r.MaxRecord())
						must(t, err)
						must(t, c.ReleaseTo(Point{run.From.Sequence + 1, run.From.Position + uint64(m.Size())}))
						must(t, c.ReleaseTo(run.To))
					}
					run, err = c.TryRun(1 + rng.IntN(2000))
				}
				if policy == Lossy && errors.Is(err, ErrOverrun) {
					return
				}
				if !errors.Is(err, ErrEmpty) && err != io.EOF {
					t.Fatal(err)
				}
			}
			for range 2000 {
				publish(t, p, rng.IntN(r.MaxRecord()/3))
				if rng.IntN(3) == 0 {
					take()
				}
				if st := c.Stats(); st.Received > 2000 {
					t.Fatal(st)
				}
				if _, err := p.TryReserve(r.MaxRecord()); errors.Is(err, ErrFull) {
					take()
				}
				p.Abort()
			}
			take()
			must(t, p.Drain(background))
			must(t, p.Close())
			take()
			if policy == Lossy {
				continue // what was lost is lost
			}
			reader := frame.NewReader(bytes.NewReader(stream), r.MaxRecord())
			for seq := uint64(1); seq <= 2000; seq++ {
				rec, err := reader.Next()
				if err != nil || rec.Sequence != seq || !bytes.Equal(rec.Payload(), pattern(seq, len(rec.Payload()))) {
					t.Fatalf("record %d: %+v, %v", seq, rec, err)
				}
			}
			if st := c.Stats(); st.Received != 2000 || runs < 100 {
				t.Errorf("received %d in %d runs", st.Received, runs)
			}
		}
	}
}

func TestReleaseOfWhatWasNotViewedIsRefused(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{})
	for range 5 {
		publish(t, p, 16)
	}
	run, err := c.TryRun(70)
	must(t, err)
	if run.From.Sequence != 1 || run.To.Sequence != 3 || len(run.Bytes) != 64 {
		t.Fatalf("a run of %+v", run)
	}
	for _, at := range []Point{
		{4, run.To.Position + 32}, {3, run.To.Position + 16}, {4, run.To.Position}, {2, run.From.Position + 1}, {0, run.From.Position + 32},
	} {
		expectErr(t, c.ReleaseTo(at), ErrConfig)
	}
	must(t, c.ReleaseTo(Point{2, run.From.Position + 32}))
	expectErr(t, c.ReleaseTo(run.From), ErrConfig)
	if st := c.Stats(); st.Received != 1 || st.Sequence != 2 {
		t.Errorf("%+v", st)
	}
	must(t, c.ReleaseTo(run.To))
	must(t, c.ReleaseTo(run.To))
}

// A producer that waits goes on as soon as enough was given back piecemeal.
func TestPiecemealReleaseWakesTheProducer(t *testing.T) {
	r := newRing(t, Config{Capacity: MinCapacity, MaxRecord: 1008})
	p, c := newProducer(t, r), newConsumer(t, r, ConsumerConfig{})
	for range 4 {
		for p.Sequence() < 3 {
			publish(t, p, 1008)
		}
		if _, err := p.TryReserve(1008); err != nil {
			break
		}
		must(t, p.Commit())
	}
	done := make(chan error)
	go func() {
		_, err := p.Reserve(background, 1008)
		if err == nil {
			err = p.Commit()
		}
		done <- err
	}()
	time.Sleep(30 * time.Millisecond) // asleep, most likely
	run, err := c.TryRun(MinCapacity)
	must(t, err)
	for pos, seq := run.From.Position, run.From.Sequence; ; {
		select {
		case err := <-done:
			must(t, err)
			return
		case <-time.After(20 * time.Millisecond):
		}
		if pos == run.To.Position {
			t.Fatal("everything was given back, and the producer waits")
		}
		pos, seq = pos+1024, seq+1
		must(t, c.ReleaseTo(Point{seq, pos}))
	}
}

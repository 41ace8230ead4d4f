package ring

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

func rendezvous(t *testing.T) (*Ring, *Producer) {
	t.Helper()
	r, err := Anonymous(Config{Rendezvous: true})
	must(t, err)
	t.Cleanup(func() { _ = r.Close() })
	p, err := r.NewProducer()
	must(t, err)
	t.Cleanup(func() { _ = p.Close() })
	return r, p
}

// No commit returns before everybody who gates has released what it published.
func TestRendezvous(t *testing.T) {
	for _, wait := range []Wait{Adaptive, Block, Yield} {
		t.Run(wait.String(), func(t *testing.T) {
			r, p := rendezvous(t)
			const records, consumers = 500, 2
			var released [consumers]atomic.Uint64
			done := make(chan error, consumers)
			for i := range consumers {
				c, err := r.NewConsumer(ConsumerConfig{Wait: wait})
				must(t, err)
				go func() {
					defer c.Close()
					for {
						rec, err := c.Next(t.Context())
						if err == io.EOF {
							done <- nil
							return
						}
						if err != nil {
							done <- err
							return
						}
						released[i].Store(rec.Sequence) // about to
						if err := c.Release(); err != nil {
							done <- err
							return
						}
					}
				}()
			}
			// One who does not gate is not waited for.
			lossy, err := r.NewConsumer(ConsumerConfig{Policy: Lossy})
			must(t, err)
			defer lossy.Close()
			for i := range uint64(records) {
				if i%2 == 0 {
					_, err := p.Write([]byte("one"))
					must(t, err)
				} else {
					_, err := p.TryReserve(8)
					must(t, err)
					must(t, p.Commit())
				}
				for j := range released {
					if got := released[j].Load(); got != i+1 {
						t.Fatalf("commit of record %d returned when a consumer had released %d", i+1, got)
					}
				}
			}
			must(t, p.Close())
			for range consumers {
				must(t, <-done)
			}
		})
	}
}

// A commit that waits ends with its context, with Close and with the end of
// whoever it waits for; what it published is there all the same.
func TestRendezvousEnds(t *testing.T) {
	r, p := rendezvous(t)
	c, err := r.NewConsumer(ConsumerConfig{Name: "late", Policy: Reliable})
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = p.Reserve(ctx, 8)
	must(t, err)
	err = p.Commit()
	lag, ok := errors.AsType[*LagError](err)
	if !ok || !errors.Is(err, context.DeadlineExceeded) || len(lag.Consumers) != 1 || lag.Consumers[0].Name != "late" || lag.Consumers[0].Records != 1 {
		t.Errorf("found %v, want a LagError that names late", err)
	}
	if rec, err := c.TryNext(); err != nil || rec.Sequence != 1 {
		t.Errorf("record %d, %v; want 1", rec.Sequence, err)
	}
	must(t, c.Release())

	ended := make(chan error)
	_, err = p.Reserve(t.Context(), 8)
	must(t, err)
	go func() { ended <- p.Commit() }()
	time.Sleep(5 * time.Millisecond)
	must(t, c.Close())
	must(t, <-ended) // nobody gates any more

	c, err = r.NewConsumer(ConsumerConfig{})
	must(t, err)
	defer c.Close()
	go func() {
		_, err := p.Write([]byte("waits until Close"))
		ended <- err
	}()
	waitFor(t, "the record is there", func() bool { _, err := c.TryNext(); return err == nil })
	must(t, p.Close())
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("found %v, want os.ErrClosed", err)
	}
}

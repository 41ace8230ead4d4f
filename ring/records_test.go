package ring

import (
	"errors"
	"io"
	"testing"
)

// Records may be called again after the producer has died or closed, and goes
// on with the next one's first record.
func TestRecordsGoOnWithTheNextProducer(t *testing.T) {
	for _, policy := range []Policy{Reliable, Lossy} {
		r := newRing(t, Config{})
		c := newConsumer(t, r, ConsumerConfig{Policy: policy})
		ends := []struct {
			end  func(*testing.T, *Producer)
			want error
		}{
			{abandon, ErrProducerDied},
			{func(t *testing.T, p *Producer) { t.Helper(); must(t, p.Close()) }, nil},
			{abandon, ErrProducerDied},
		}
		for i, e := range ends {
			p, err := r.NewProducer()
			must(t, err)
			if i > 0 {
				must(t, c.WaitProducer(background))
			}
			first := p.Sequence()
			for range 10 {
				_, err := p.Write([]byte("record"))
				must(t, err)
			}
			e.end(t, p)
			want := first
			var last error
			for rec, err := range c.Records(background) {
				if last = err; err != nil {
					continue
				}
				if rec.Sequence != want {
					t.Fatalf("%v, producer %d: found record %d, want %d", policy, i+1, rec.Sequence, want)
				}
				want++
			}
			if want != first+10 || !errors.Is(last, e.want) {
				t.Errorf("%v, producer %d: %d records, then %v, want 10, then %v", policy, i+1, want-first, last, e.want)
			}
		}
	}
}

// A consumer needs no producer: it waits for one that never was, and reads what
// one left that closed or died.
func TestConsumerWithoutAProducer(t *testing.T) {
	for _, tc := range []struct {
		name  string
		leave func(*testing.T, *Producer)
		want  error
	}{
		{"closed", func(t *testing.T, p *Producer) { t.Helper(); must(t, p.Close()) }, io.EOF},
		{"died", abandon, ErrProducerDied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRing(t, Config{})
			_, err := newConsumer(t, r, ConsumerConfig{}).TryNext()
			expectErr(t, err, ErrEmpty)
			p, err := r.NewProducer()
			must(t, err)
			publish(t, p, 30)
			tc.leave(t, p)
			oldest := newConsumer(t, r, ConsumerConfig{From: Oldest})
			expect(t, oldest, 1, 30)
			_, err = oldest.Next(background)
			expectErr(t, err, tc.want)
			_, err = newConsumer(t, r, ConsumerConfig{}).Next(background)
			expectErr(t, err, tc.want)
		})
	}
}

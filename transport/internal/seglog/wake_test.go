package seglog

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/ring"
)

// Two logs to and fro: each side sleeps until the other has written, in the
// segment that it reads or in the next. A wake that is lost ends the test.
func TestSleepersAreWoken(t *testing.T) {
	const rounds = 400
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var writers [2]*Writer
	var readers [2]*Reader
	for i := range 2 {
		dir := t.TempDir()
		writers[i] = create(t, dir, Config{Segment: 8 << 10, RetainBytes: 64 << 10})
		defer closed(t, writers[i])
		readers[i] = reader(t, dir, oldest)
	}
	read := func(r *Reader, seq uint64) error {
		rec, err := r.Next(ctx, ring.Block)
		if err == nil {
			err = isRecord(rec, seq)
		}
		if err != nil {
			return fmt.Errorf("round %d: %w", seq, err)
		}
		r.Release()
		return nil
	}
	answered := make(chan error, 1)
	go func() {
		for seq := uint64(1); seq <= rounds; seq++ {
			err := read(readers[0], seq)
			if err == nil {
				err = writers[1].Append(frame.Append(nil, record(seq)), 1)
			}
			if err != nil {
				answered <- err
				return
			}
		}
		answered <- nil
	}()
	for seq := uint64(1); seq <= rounds; seq++ {
		appendRecords(t, writers[0], 1)
		if err := read(readers[1], seq); err != nil {
			t.Error(err)
			break
		}
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

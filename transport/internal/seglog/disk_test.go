package seglog

import (
	"errors"
	"testing"

	"github.com/carousel-ipc/carousel/frame"
)

// A disk that refuses, at whatever call, ends the producer, and not the log:
// the next one finds all that was acknowledged.
func TestErrorsOfTheDiskAreFinal(t *testing.T) {
	for left := range 60 {
		d := newMemory()
		w, err := begin(d, Config{Segment: 2 << 10, RetainBytes: 6 << 10}, [16]byte{1})
		if err != nil {
			t.Fatal(err)
		}
		d.left = left
		acked := w.Next()
		for err == nil {
			if err = w.Append(frame.Append(nil, record(w.Next())), 1); err == nil {
				acked = w.Next()
				if left%2 == 1 {
					err = w.Sync()
				}
			}
		}
		if !errors.Is(err, errPower) {
			t.Fatalf("call %d: %v", left, err)
		}
		d.left = -1 // it is only the producer that has given up
		if err := w.Append(frame.Append(nil, record(w.Next())), 1); !errors.Is(err, errPower) {
			t.Errorf("call %d: goes on after an error: %v", left, err)
		}
		_ = w.Close()
		w, err = begin(d, Config{}, [16]byte{1})
		if err != nil || w.Next() < acked {
			t.Errorf("call %d: %v, goes on at %d, want at least %d", left, err, w.Next(), acked)
		}
	}
}

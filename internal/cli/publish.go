package cli

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/carousel-ipc/carousel/transport"
)

// publisher stages records and decides when to commit them: when a batch is
// full, when the producer has to wait for credit, and when its user says that
// nothing more comes for now. So a record is never held back for company.
type publisher struct {
	p      transport.Producer
	ctx    context.Context // ends a wait for credit
	header transport.Header
	max    int   // largest payload, in bytes
	batch  int   // commit at so many records, 0: as they come
	meets  bool  // each commit waits, under the context of a Reserve
	pace   *pace // of what standard input brings, nil: as fast as it goes

	open        bool // the last reserved record is not complete
	staged      int  // complete records that are not committed
	stagedBytes int
	size        int // of the record that is open

	published uint64        // records committed
	bytes     uint64        // and their payload
	waits     int           // for credit
	longest   time.Duration // wait for credit
	live      *tally        // nil: nobody looks
}

// tally is what a progress line may look at from another goroutine.
type tally struct {
	records, bytes, lost atomic.Uint64
	state                atomic.Pointer[string] // what it waits for, nil nothing
}

func (t *tally) set(state string) {
	if t != nil {
		t.state.Store(&state)
	}
}

// Without a given batch, what is staged is committed at the latest here:
// consumers shall read one part while the next is written.
const (
	adaptiveRecords = 256
	adaptiveBytes   = 64 << 10
)

// reserve stages a record of n bytes with the header h; the caller fills all
// of the payload and calls done. errors: those of transport.Producer.Reserve.
func (w *publisher) reserve(h transport.Header, n int) ([]byte, error) {
	buf, err := w.tryReserve(h, n)
	if errors.Is(err, transport.ErrFull) || errors.Is(err, transport.ErrBatchFull) {
		if err = w.flush(); err != nil {
			return nil, err
		}
		since := time.Now()
		buf, err = w.p.Reserve(w.ctx, h, n)
		w.longest = max(w.longest, time.Since(since))
		w.waits++
	}
	if err != nil {
		return nil, err
	}
	w.open, w.size = true, n
	return buf, nil
}

func (w *publisher) tryReserve(h transport.Header, n int) ([]byte, error) {
	if w.meets {
		return w.p.Reserve(w.ctx, h, n)
	}
	return w.p.TryReserve(h, n)
}

// done completes the reserved record.
func (w *publisher) done() error {
	w.open = false
	w.staged++
	w.stagedBytes += w.size
	if w.pace != nil {
		if err := w.await(); err != nil {
			return err
		}
	}
	if w.batch > 0 {
		if w.staged < w.batch {
			return nil
		}
	} else if w.staged < adaptiveRecords && w.stagedBytes < adaptiveBytes {
		return nil
	}
	return w.flush()
}

// await waits until the next record is due. What is staged does not wait for that.
func (w *publisher) await() error {
	n := w.published + uint64(w.staged)
	if n == 1 {
		w.pace.start = time.Now()
	}
	if w.pace.due(n+1) > n {
		return nil
	}
	if err := w.flush(); err != nil {
		return err
	}
	return w.pace.wait(w.ctx, n)
}

// add stages one record with a copy of payload.
func (w *publisher) add(h transport.Header, payload []byte) error {
	buf, err := w.reserve(h, len(payload))
	if err != nil {
		return err
	}
	copy(buf, payload)
	return w.done()
}

// flush commits what is staged. While a record is open it does nothing: only
// the caller that reserved it can complete it.
func (w *publisher) flush() error {
	if w.staged == 0 || w.open {
		return nil
	}
	err := w.p.Commit()
	if _, lag := errors.AsType[*transport.LagError](err); err != nil && !lag { // who lags has it all the same
		return err
	}
	w.published += uint64(w.staged)
	w.bytes += uint64(w.stagedBytes)
	w.staged, w.stagedBytes = 0, 0
	if w.live != nil {
		w.live.records.Store(w.published)
		w.live.bytes.Store(w.bytes)
	}
	return err
}

// abort drops everything staged, with the record that is open.
func (w *publisher) abort() {
	w.open, w.staged, w.stagedBytes = false, 0, 0
	w.p.Abort()
}

// number is the place in the input, from 1, of the record that comes next.
func (w *publisher) number() uint64 { return w.published + uint64(w.staged) + 1 }

package cli

import (
	"context"
	"errors"
	"math"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/transport"
)

// receiver views records in batches, has a sink copy them, gives them back,
// and only then lets the sink keep them: of a consumer that may be overrun or
// evicted, nothing goes out that was not whole.
type receiver struct {
	ctx  context.Context // ends receive
	c    transport.Consumer
	sink sink
	account
	limit uint64 // complete records to take, or unlimited
	most  int    // records in a batch
	live  *tally // nil: nobody looks

	complete uint64 // records kept
	begun    func() // called at the first record
	batch    struct {
		records  []seen
		bytes    int
		complete uint64
	}
}

// seen is a record in the batch: its sequence and the bytes of its payload.
type seen struct {
	seq   uint64
	bytes int
}

// A batch is given back when it has so many records or bytes.
const (
	batchRecords = 256
	batchBytes   = 64 << 10
)

// errEnough: as many records as were asked for have been kept.
var errEnough = errors.New("enough records")

// receive takes records until something other than a loss ends it: errEnough,
// the end of r.ctx, io.EOF, ErrProducerDied, or an error.
func (r *receiver) receive() error {
	for {
		rec, err := r.c.TryNext()
		if errors.Is(err, transport.ErrEmpty) {
			if err := r.settle(); err != nil {
				return err
			}
			if err := r.sink.idle(); err != nil {
				return err
			}
			rec, err = r.c.Next(r.ctx)
		}
		if err == nil {
			err = r.take(rec)
		} else {
			err = r.failed(err)
		}
		if err != nil {
			return err
		}
	}
}

// take adds rec to the batch.
func (r *receiver) take(rec transport.Record) error {
	done, err := r.sink.take(rec)
	if err != nil {
		return err
	}
	if done {
		r.batch.complete++
	}
	r.batch.records = append(r.batch.records, seen{rec.Sequence, len(rec.Payload())})
	r.batch.bytes += len(rec.Payload()) + frame.HeaderSize
	if len(r.batch.records) < r.most && r.batch.bytes < batchBytes && r.complete+r.batch.complete < r.limit {
		return nil
	}
	return r.settle()
}

// settle gives the batch back and keeps or drops it.
func (r *receiver) settle() error {
	if len(r.batch.records) == 0 {
		return nil
	}
	if err := r.c.Release(); err != nil {
		return r.void(err)
	}
	if r.received == 0 && r.begun != nil {
		r.begun()
	}
	for _, s := range r.batch.records {
		r.arrived(s.seq, s.bytes)
	}
	r.complete += r.batch.complete
	r.forget()
	r.show()
	if err := r.sink.keep(); err != nil {
		return err
	}
	if r.complete >= r.limit {
		return errEnough
	}
	return r.ctx.Err()
}

func (r *receiver) forget() {
	r.batch.records, r.batch.bytes, r.batch.complete = r.batch.records[:0], 0, 0
}

// void drops the batch because of err. A loss is counted, and reading goes on
// behind it: nil.
func (r *receiver) void(err error) error {
	r.forget()
	r.sink.drop()
	if over, ok := errors.AsType[*transport.OverrunError](err); ok {
		r.missed(over.From, over.To)
		r.show()
		return nil
	}
	return err
}

// failed deals with an error of Next. nil: reading goes on.
func (r *receiver) failed(err error) error {
	if over, ok := errors.AsType[*transport.OverrunError](err); ok && r.before(over.From) {
		// Media that are no rings lose only what comes behind.
		if err := r.settle(); err != nil {
			return err
		}
	}
	if errors.Is(err, transport.ErrOverrun) || errors.Is(err, transport.ErrEvicted) {
		// What was viewed and not given back is among the lost.
		return r.void(err)
	}
	// Anything else comes behind records that are all right.
	if serr := r.settle(); serr != nil {
		return serr
	}
	if errors.Is(err, transport.ErrCorrupt) && errors.Is(err, frame.ErrChecksum) {
		// One record; the ring has stepped over it.
		r.damaged(r.c.Sequence() - 1)
		r.sink.seam()
		return nil
	}
	return err
}

// before tells whether all of the batch comes before record seq.
func (r *receiver) before(seq uint64) bool {
	n := len(r.batch.records)
	return n > 0 && r.batch.records[n-1].seq < seq
}

// another is for a consumer that was opened anew: nothing is lost, doubled or
// out of order across this.
func (r *receiver) another(c transport.Consumer) {
	r.c = c
	r.account.seam()
	r.sink.seam()
}

func (r *receiver) show() {
	if r.live != nil {
		r.live.records.Store(r.received)
		r.live.bytes.Store(r.bytes)
		r.live.lost.Store(r.lost)
	}
}

// unlimited is the limit that stands for none.
const unlimited = math.MaxUint64

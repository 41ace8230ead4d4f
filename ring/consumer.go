package ring

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carousel-ipc/carousel/frame"
)

// A Consumer sees every record of the ring come past. One goroutine uses it;
// Close may be called from any.
//
// Next views the next record where it lies, Release gives back everything
// viewed. Read copies and gives back at once. Records iterates.
type Consumer struct {
	attachment
	section
	slot       int
	own        segment // that slot
	generation uint64
	name       string
	policy     Policy
	ladder     ladder
	types      []uint16
	unlock     func() error
	unwatch    func()
	bell       bell

	// pos and seq are of the next record to view; cursor and given of the
	// first that is not given back.
	pos, seq      uint64
	cursor, given uint64
	viewed        int        // records in the user's hands
	plain         bool       // take may take a record: what may forbid it was looked at by next
	usual         frame.Meta // header of a record that accept has taken,
	stride        uint64     // and its size
	uncounted     uint64     // skipped before the record that was asked for, and not given back
	unseen        uint64     // of the sequences before given, those that were not received
	first         uint64     // with Sequence(n) still to come: n
	selective     bool       // a record may have to be skipped
	expedited     bool       // the producer's membarrier orders cursor and wakeAt

	lost    uint64
	waits   uint64
	epoch   uint64 // an EOS of an older one is stepped over
	slip    int    // pauses before the next look, when records come densely
	fillers point  // where the frames without a record before seq began
	missed  uint64 // sequence at the last look that found nothing
	ended   bool   // EOS of an epoch that is not over for this attachment
	err     error  // final
	pending error  // to be told by the next call
	ctx     cancellation
	gap     struct {
		at    uint64 // position + 1 of a record that is missing, as it seems
		since time.Time
	}
}

// cancellation rings the consumer's bell at the end of a context, the last of
// which is kept: the next wait mostly has the same.
type cancellation struct {
	done   <-chan struct{}
	forget func() bool
}

// bell is the consumer's own hand on its bell: for cancel, Close and notices
// of death, which come from other goroutines and must not touch memory that
// is gone.
type bell struct {
	mu   sync.Mutex
	word *uint32
	died atomic.Bool // the producer's lock was found free
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.word != nil {
		_ = Guard(func() error { ringBell(b.word); return nil }) // whoever reads will be told
	}
}

func (b *bell) silence() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.word = nil
}

// Name is what the consumer is called in statistics.
func (c *Consumer) Name() string { return c.name }

// Policy is what was asked for when it joined.
func (c *Consumer) Policy() Policy { return c.policy }

// Sequence is the number of the record that comes next, if none is lost.
func (c *Consumer) Sequence() uint64 { return max(c.seq, c.first) }

// Epoch is the number of the producer whose records come now, or came last if
// the stream has ended: how many the ring had had by then.
func (c *Consumer) Epoch() uint64 {
	if c.ended {
		return c.epoch
	}
	if !c.enter() {
		if epoch, err := again(&c.section, func() (uint64, error) { return c.Epoch(), nil }); err == nil {
			return epoch
		}
		return c.epoch
	}
	defer c.leave()
	return load64(c.word(offEpoch))
}

// Next returns the next record in place, waiting for it until ctx ends. The
// payload is valid until Release, and with Lossy and Deadline it was whole
// only if that Release returns nil; it must not be written to.
//
// Errors: io.EOF at the end of the stream; ErrProducerDied when the producer
// is gone and everything that it committed has been returned; *OverrunError,
// with what was viewed and not released among the lost, after which the next
// call goes on behind the loss; *EvictedError, final; ErrUnreleased; ErrCorrupt;
// os.ErrClosed; the error of ctx.
func (c *Consumer) Next(ctx context.Context) (Record, error) {
	if !c.enter() {
		return c.nextAgain(ctx)
	}
	// What take does with a record like the last one, without a call.
	off, m := uint64(0), frame.Meta(0)
	if c.plain {
		pos, seq := c.pos, c.seq
		at := pos & c.mask
		if h := c.frames.header(at); load64(&h[0]) == seq {
			m = frame.Meta(load64(&h[1]))
			if m == c.usual && at+c.stride <= c.capacity {
				c.pos, c.seq = pos+c.stride, seq+1
				c.viewed++
				rec := frame.View(seq, m, c.frames.view(at+frame.HeaderSize, uint64(uint32(m))))
				c.leave()
				return rec, nil
			}
			off = c.accept(m)
		}
	}
	if off == 0 {
		var err error
		if off, m, err = c.next(ctx, m, true); err != nil {
			c.leave()
			return Record{}, err
		}
	}
	c.viewed++
	rec := frame.View(c.seq-1, m, c.payload(off, m))
	c.leave()
	return rec, nil
}

//go:noinline
func (c *Consumer) nextAgain(ctx context.Context) (Record, error) {
	return again(&c.section, func() (Record, error) { return c.Next(ctx) })
}

// take is next for the plain case, with no more than that takes: the record is
// there, nothing else is due, and nothing has to be looked at behind it. off is
// 0 if it is not that case; m is the header if it is there, and else 0.
func (c *Consumer) take() (off uint64, m frame.Meta) {
	h := c.frames.header(c.pos & c.mask)
	if !c.plain || load64(&h[0]) != c.seq {
		return 0, 0
	}
	m = frame.Meta(load64(&h[1]))
	return c.accept(m), m
}

// accept takes the record at pos if its header, loaded once (row 2), is that of
// a plain one and goes well with the private geometry; else it returns 0.
func (c *Consumer) accept(m frame.Meta) (off uint64) {
	pos, off := c.pos, c.pos&c.mask
	// Where the next record begins does not have to wait for the length of this
	// one: that it is as long as the last is foretold.
	if m != c.usual || off+c.stride > c.capacity {
		n := uint64(uint32(m))
		end := off + frame.HeaderSize + n
		if m&odd != 0 || n > uint64(c.maxPayload) || end > c.capacity {
			return 0
		}
		c.usual, c.stride = m, (frame.HeaderSize+n+frame.Align-1)&^(frame.Align-1)
	}
	c.pos = pos + c.stride
	c.seq++
	return off + frame.HeaderSize
}

// odd are the flags of frames that take refuses.
const odd = frame.Meta(frame.Pad|frame.EOS|frame.CRC|frame.MustUnderstand) << 48

// payload is a view of the record that next returned.
func (c *Consumer) payload(off uint64, m frame.Meta) []byte {
	end := off + uint64(m.Len())
	return c.ring[off:end:end]
}

// TryNext is Next that never waits: ErrEmpty when there is no record now.
func (c *Consumer) TryNext() (Record, error) { return c.Next(never) }

// never is the context of calls that do not wait.
var never context.Context

// next takes the next record of interest: where in the ring its payload begins,
// and its header; its sequence is the one before c.seq. With the context never
// it does not wait. m is the header if take has loaded it: it is looked at once
// (row 2). verify: check the checksum where the record lies.
func (c *Consumer) next(ctx context.Context, m frame.Meta, verify bool) (off uint64, _ frame.Meta, err error) {
	c.plain = false
	if c.pending != nil || c.err != nil || c.ended {
		return 0, 0, c.told()
	}
	for waited := false; ; m = 0 {
		if m == 0 {
			if load64(c.commitWord(c.pos)) != c.seq {
				if err := c.miss(ctx); err != nil {
					return 0, 0, err
				}
				waited = true
				continue
			}
			m = frame.Meta(load64(c.metaWord(c.pos)))
			// The record has come just now. What goes on in the next line
			// would be fetched when it is read, one trip later.
			if waited && c.pos%64+uint64(m.Len()) > 64-frame.HeaderSize {
				prefetch(c.commitWord(c.pos + 64))
			}
		}
		off, n, size := c.pos&c.mask, m.Len(), uint64(m.Size())
		if m.Flags()&(frame.Pad|frame.EOS|frame.MustUnderstand) != 0 || n > c.maxPayload || off+size > c.capacity ||
			c.checksum && m.Flags()&frame.CRC == 0 {
			if err := c.special(m); err != nil {
				return 0, 0, err
			}
			continue
		}
		if c.policy.kind == kindLossy {
			// From here on pos and seq come from a header that was whole.
			if fenceLoad(); c.passed(c.pos) {
				if err := c.resync(); err != nil {
					return 0, 0, err
				}
				continue
			}
		}
		if verify && m.Flags()&frame.CRC != 0 {
			if err := frame.Verify(c.ring[off:off+size], c.seq, m); err != nil {
				return 0, 0, c.broken(size, err)
			}
		}
		c.pos += size
		c.seq++
		if c.selective && !c.wanted(c.seq-1, m.Type()) {
			if c.viewed == 0 && c.pos-c.cursor > c.capacity/64 {
				if err := c.release(); err != nil {
					return 0, 0, err
				}
			}
			continue
		}
		c.plain = c.policy.kind == kindReliable && !c.checksum && !c.selective
		return off + frame.HeaderSize, m, nil
	}
}

// told returns what is due before any record is looked at.
func (c *Consumer) told() error {
	if err := c.pending; err != nil {
		c.pending = nil
		return err
	}
	if c.err != nil {
		return c.err
	}
	return io.EOF
}

// wanted decides about a record whose payload nobody has looked at.
func (c *Consumer) wanted(seq uint64, typ uint16) bool {
	if seq < c.first {
		c.uncounted++
		return false
	}
	c.first = 0
	if len(c.types) == 0 {
		c.selective = false
		return true
	}
	return slices.Contains(c.types, typ)
}

// special deals with a frame that is no plain record: a filler, the end of
// the stream, or bytes that no producer has written there.
func (c *Consumer) special(m frame.Meta) error {
	end, _, err := c.header(c.pos, m)
	if err == nil {
		err = c.endless(end)
	}
	if err != nil {
		return c.suspect(err)
	}
	if m.Flags()&frame.EOS != 0 {
		return c.eos(m, end)
	}
	if stale, err := c.doubtful(); stale {
		return err
	}
	return c.stepOver(end)
}

// stepOver leaves a frame behind that nobody sees.
func (c *Consumer) stepOver(end uint64) error {
	c.pos = end
	if c.viewed == 0 {
		return c.release()
	}
	return nil
}

// endless refuses a lap of frames that consume no sequence: whoever wrote them
// wants this consumer to go round for ever.
func (c *Consumer) endless(end uint64) error {
	if c.seq != c.fillers.seq {
		c.fillers = point{c.seq, c.pos}
	}
	if end-c.fillers.pos <= c.capacity {
		return nil
	}
	return fmt.Errorf("%w at position %d: a lap without a record", ErrCorrupt, c.pos)
}

// eos ends the stream for this attachment, unless the frame is of a producer
// before the one that it knows of.
func (c *Consumer) eos(m frame.Meta, end uint64) error {
	var b [8]byte
	off := c.pos & c.mask
	copyOut(b[:], c.ring[off+frame.HeaderSize:off+frame.HeaderSize+8])
	if m.Flags()&frame.CRC != 0 {
		if err := frame.Verify(c.ring[off:off+end-c.pos], c.seq, m); err != nil {
			return c.suspect(fmt.Errorf("%w: end of the stream before record %d: %w", ErrCorrupt, c.seq, err))
		}
	}
	if stale, err := c.doubtful(); stale {
		return err
	}
	if epoch := binary.LittleEndian.Uint64(b[:]); epoch >= c.epoch {
		c.epoch, c.ended = epoch, true
		return io.EOF
	}
	return c.stepOver(end)
}

// suspect reports bytes that are not what a producer writes, unless they were
// overwritten under this consumer's eyes: being lapped or evicted comes first.
func (c *Consumer) suspect(err error) error {
	if stale, lapped := c.doubtful(); stale {
		return lapped
	}
	c.err = err
	return err
}

// broken is a record whose checksum is wrong: told, and stepped over.
func (c *Consumer) broken(size uint64, err error) error {
	if stale, lapped := c.doubtful(); stale {
		return lapped
	}
	c.pos += size
	c.seq++
	return corruptRecord(c.seq-1, err)
}

func corruptRecord(seq uint64, err error) error {
	return fmt.Errorf("%w: record %d (%w): %w", ErrCorrupt, seq, errOneRecord, err)
}

// Close gives the slot back, from any goroutine. It ends a call that waits, and
// waits for that to return. Views that are still held read zeros from then on
// (on systems other than Linux, what the producer makes of them): release them
// before. A second Close returns os.ErrClosed.
func (c *Consumer) Close() error {
	if !c.section.close(c.bell.ring) {
		return os.ErrClosed
	}
	defer c.section.done()
	handles.Add(-1)
	c.unwatch()
	c.forget()
	c.bell.silence()
	err := c.section.last(func() {
		store32(c.slotWord32(c.slot, slotWaiting), 0)
		c.move(left)
	})
	return errors.Join(err, c.discard(c.viewed > 0 || c.section.stranded()), c.unlock(), c.backing.release())
}

func (c *Consumer) forget() {
	if c.ctx.forget != nil {
		c.ctx.forget()
		c.ctx = cancellation{}
	}
}

// watch lets the end of ctx ring the bell.
func (c *Consumer) watch(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ctx.Done() != nil && ctx.Done() != c.ctx.done {
		c.forget()
		c.ctx = cancellation{ctx.Done(), context.AfterFunc(ctx, c.bell.ring)}
	}
	return nil
}

// Stats is this consumer's own line of Ring.Stats, exact, without Lag, LagBytes
// and Wakes, for whoever uses the consumer.
func (c *Consumer) Stats() ConsumerStats {
	return ConsumerStats{
		Slot: c.slot, Generation: c.generation, Name: c.name, Policy: c.policy, Alive: true,
		Evicted: errors.Is(c.err, ErrEvicted), Cursor: c.cursor, Sequence: c.given,
		Received: c.given - c.unseen, Lost: c.lost, Waits: c.waits,
	}
}

package ring

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/shm"
)

// A Producer puts records on a ring. There is one at a time; one goroutine
// uses it, Close may be called from any.
//
// Reserve stages a record and returns its payload to be filled, Commit makes
// everything staged visible at once, Abort drops it. What Commit has returned
// nil for survives a kill of this process.
type Producer struct {
	attachment
	section
	alarm   alarm
	ladder  ladder
	unlock  func() error
	unwatch func()
	deaths  atomic.Bool // a consumer may have died

	// The stream. end and seq run ahead of pos and first while records are staged.
	pos   uint64 // P0: end of what is committed
	first uint64 // sequence at pos
	end   uint64 // end of what is staged
	seq   uint64 // next sequence behind what is staged
	limit uint64 // staged bytes and the zero behind them may be written below it
	plain uint64 // a record that ends there or before needs nothing but its header (claim)

	horizon uint64 // copy of the shared word
	copy    int    // which resume point was last valid: the other is written next
	epoch   uint64
	fenced  bool    // this producer pays for the fence behind its commits
	chosen  bool    // by choice (fence.go)
	sleeps  uint64  // wakes of sleepers that paid, since
	since   uint64  // this record
	woken   uint64  // all wakes, at the last checkpoint
	meets   bool    // Config.Rendezvous
	bytes   uint64  // payload bytes of this epoch, with what is staged
	mark    uint64  // a record from here on begins another sixteenth of the ring
	marks   []point // staged records that begin a sixteenth

	gates     gates
	strangers strangers
	asked     context.Context // of the last Reserve
	stats     struct{ waits, wakes, evictions uint64 }
}

// NewProducer takes the ring over: it finds the end of what was committed,
// begins a new epoch and wakes whoever waited for one. The ring must have no
// live producer: an error that is ErrProducerLive names the one it has.
//
// Other errors: ErrRemoved, if the ring's name is gone or stands for another
// ring, or a served ring has had its producer; ErrUnclean; ErrCorrupt, if the
// ring's words do not lead to an end of what was committed.
func (r *Ring) NewProducer(config ...ProducerConfig) (*Producer, error) {
	var cfg ProducerConfig
	if len(config) > 0 {
		cfg = config[0]
	}
	if err := r.use(); err != nil {
		return nil, err
	}
	defer r.unuse()
	unlock, err := r.backing.lockProducer()
	if errors.Is(err, ErrProducerLive) {
		_ = Guard(func() error {
			err = fmt.Errorf("%w: %q is held by %s", ErrProducerLive, r.Name(), r.view.owner())
			return nil
		})
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	p, err := r.takeOver(cfg)
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	p.unlock = unlock
	handles.Add(1)
	return p, nil
}

func (r *Ring) takeOver(cfg ProducerConfig) (*Producer, error) {
	// The name may have gone to another ring between opening it and locking it.
	if err := r.backing.current(); err != nil {
		return nil, err
	}
	a, err := attach(r.backing, r.view.geometry, shm.ReadWrite, shm.ReadWrite)
	if err != nil {
		return nil, err
	}
	p := &Producer{attachment: a, ladder: newLadder(cfg.Wait, a.backing), meets: r.cfg.Rendezvous, fenced: !a.backing.oneUser() || !futex.Register()}
	p.section.init(a.regions...)
	p.alarm.init()
	if err = r.prepare(&p.attachment); err == nil {
		err = Guard(func() error {
			if err := p.recover(); err != nil {
				return err
			}
			p.begin(cfg.Label)
			return nil
		})
	}
	if err != nil {
		return nil, errors.Join(err, p.detach())
	}
	p.unwatch = p.backing.watchSlots(func() {
		p.deaths.Store(true)
		p.alarm.ring()
	})
	return p, nil
}

// Sequence is the number of the next record to be reserved.
func (p *Producer) Sequence() uint64 { return p.seq }

// Epoch is how many producers the ring has had, this one included.
func (p *Producer) Epoch() uint64 { return p.epoch }

// MaxRecord is the largest payload in bytes that a record may have.
func (p *Producer) MaxRecord() int { return p.maxPayload }

// Reserve stages a record of n bytes and returns its payload, to be filled
// before Commit. The bytes are what the last lap left there. It waits for
// credit until ctx ends, the consumers that gate release, or Close; as long as
// there is credit ctx is not looked at.
//
// Errors: ErrTooLarge; ErrBatchFull, when what is staged has to be committed
// first; the error of ctx; after these what was staged before is staged still.
// os.ErrClosed.
func (p *Producer) Reserve(ctx context.Context, n int) ([]byte, error) {
	// What claim does, without a call: most records come this way.
	start, size := p.end, uint64(uint(n))
	end := start + (size+frame.HeaderSize+frame.Align-1)&^(frame.Align-1)
	if size-1 < uint64(p.maxPayload) && end <= p.plain && p.enterPlainly() {
		if n%frame.Align != 0 {
			p.pad(end)
		}
		off, seq := start&p.mask, p.seq
		h := p.frames.header(off)
		plain64(&h[1], size)
		if start != p.pos {
			plain64(&h[0], seq)
		}
		p.seq, p.end = seq+1, end
		p.bytes += size
		b := p.frames.view(off+frame.HeaderSize, size)
		p.leave()
		return b, nil
	}
	return p.ReserveRecord(ctx, Header{}, n)
}

// TryReserve is Reserve that never waits: ErrFull when there is no credit.
func (p *Producer) TryReserve(n int) ([]byte, error) {
	return p.TryReserveRecord(Header{}, n)
}

// ReserveRecord is Reserve of a record with a type, or of a part of a chain.
func (p *Producer) ReserveRecord(ctx context.Context, h Header, n int) ([]byte, error) {
	if !p.enter() {
		return again(&p.section, func() ([]byte, error) { return p.ReserveRecord(ctx, h, n) })
	}
	if b := p.claim(h, n); b != nil {
		p.leave()
		return b, nil
	}
	p.asked = ctx
	b, err := p.reserveWait(ctx, h, n)
	p.leave()
	return b, err
}

func (p *Producer) reserveWait(ctx context.Context, h Header, n int) ([]byte, error) {
	b, err := p.reserve(h, n, p.sixteenth()/2)
	if err == ErrFull {
		if err = p.waitCredit(ctx, p.need(n)); err == nil {
			b, err = p.reserve(h, n, 0)
		}
	}
	return b, err
}

// TryReserveRecord is ReserveRecord that never waits.
func (p *Producer) TryReserveRecord(h Header, n int) ([]byte, error) {
	if !p.enter() {
		return again(&p.section, func() ([]byte, error) { return p.TryReserveRecord(h, n) })
	}
	if b := p.claim(h, n); b != nil {
		p.leave()
		return b, nil
	}
	p.asked = nil
	b, err := p.reserve(h, n, 0)
	if err == ErrFull && p.obstacles(p.need(n)-p.capacity) {
		b, err = p.reserve(h, n, 0)
	}
	p.leave()
	return b, err
}

// place tells where a frame of size bytes would begin behind what is staged,
// and how long the filler before it is.
func (p *Producer) place(size uint64) (start, pad uint64) {
	if off := p.end & p.mask; off+size > p.capacity {
		pad = p.capacity - off
	}
	return p.end + pad, pad
}

// need is up to where a record of n bytes, with its filler and the zero
// behind it, wants to write.
func (p *Producer) need(n int) uint64 {
	size := uint64(frame.Size(n, p.flags()))
	start, _ := p.place(size)
	return start + size + frame.HeaderSize
}

// reserve stages a record if there is credit for it, and if not for a single
// one then for spare bytes more.
func (p *Producer) reserve(h Header, n int, spare uint64) ([]byte, error) {
	if uint(n) > uint(p.maxPayload) {
		return nil, fmt.Errorf("%w: %d bytes, want 0 to %d", ErrTooLarge, n, p.maxPayload)
	}
	m := frame.MakeMeta(n, h.Type, h.flags()|p.flags())
	size := uint64(m.Size())
	start, pad := p.place(size)
	need := start + size + frame.HeaderSize
	if need > p.limit {
		if need > p.pos+p.capacity {
			return nil, fmt.Errorf("%w: %d bytes staged, %d more do not fit in %d", ErrBatchFull, p.end-p.pos, need-p.end, p.capacity)
		}
		if !p.credit(need, spare) {
			return nil, ErrFull
		}
	}
	if pad > 0 {
		p.stage(p.end, frame.MakeMeta(int(pad)-frame.HeaderSize, 0, frame.Pad))
	}
	if n%frame.Align != 0 && !p.checksum {
		p.pad(start + size)
	}
	p.stage(start, m)
	if start >= p.mark {
		p.mark = (start/p.sixteenth() + 1) * p.sixteenth()
		p.marks = append(p.marks, point{p.seq, start})
	}
	p.seq++
	p.end = start + size
	p.bytes += uint64(n)
	if p.plain = 0; !p.checksum && !p.meets {
		// The next sixteenth of the ring begins where the ring does, at the latest.
		p.plain = p.mark
		p.plain = min(p.plain, p.limit-frame.HeaderSize)
	}
	off := start&p.mask + frame.HeaderSize
	return p.ring[off : off+uint64(n) : off+uint64(n)], nil
}

// pad zeroes what the payload will leave of the last 16 bytes of a frame that
// ends at end: a ring's bytes are a stream's bytes.
func (p *Producer) pad(end uint64) {
	last := end - frame.Align
	plain64(p.commitWord(last), 0)
	plain64(p.metaWord(last), 0)
}

// claim is reserve for the plain case, a record that ends below p.plain; nil if
// it is not that case.
func (p *Producer) claim(h Header, n int) []byte {
	start := p.end
	end := start + (uint64(uint(n))+frame.HeaderSize+frame.Align-1)&^(frame.Align-1)
	if uint(n)-1 >= uint(p.maxPayload) || end > p.plain {
		return nil
	}
	if n%frame.Align != 0 {
		p.pad(end)
	}
	off := start & p.mask
	p.stage(start, frame.MakeMeta(n, h.Type, h.flags()))
	p.seq++
	p.end = end
	p.bytes += uint64(n)
	return p.ring[off+frame.HeaderSize : off+frame.HeaderSize+uint64(n) : off+frame.HeaderSize+uint64(n)]
}

// stage writes a header. All but the first of a batch get their commit word
// at once: nobody can walk to them before the first has its own.
func (p *Producer) stage(pos uint64, m frame.Meta) {
	plain64(p.metaWord(pos), uint64(m))
	if pos != p.pos {
		plain64(p.commitWord(pos), p.seq)
	}
}

// Commit makes all staged records visible, in order and all at once, and wakes
// the consumers that sleep. With nothing staged it does nothing. It does not
// wait, except in a rendezvous (Config.Rendezvous).
func (p *Producer) Commit() (err error) {
	if !p.enter() {
		return p.commitAgain()
	}
	if p.end != p.pos {
		if p.checksum {
			p.seal()
		}
		// The zero ends the batch: without it a walker would enter what the last
		// lap left there. Then the first commit word, which publishes (row 1).
		zero, first := p.commitWord(p.end), p.commitWord(p.pos)
		plain64(zero, 0)
		if p.fenced {
			fenced64(first, p.first)
		} else {
			store64(first, p.first)
		}
		pos, seq := p.end, p.seq
		p.pos, p.first = pos, seq
		if len(p.marks) > 0 {
			p.checkpoint()
		}
		told := p.broadcast.at(offPublished)
		plain64(told.w64(0), seq)
		plain64(told.w64(offPosition-offPublished), pos)
		plain64(told.w64(offBytes-offPublished), p.bytes)
		// Whoever sleeps or is about to is woken. That comes after the commit (rows
		// 11 and 12): either this sees waiting, or the consumer sees the record.
		if load64(p.slots.w64(offJoins)) != p.gates.joins {
			p.refresh()
		}
		for _, c := range p.gates.calls {
			if load32(c.waiting) != 0 {
				p.rouse(&p.gates.list[c.gate])
			}
		}
		if p.strangers.present {
			p.strangers.wake()
		}
	}
	if p.meets {
		err = p.meet(p.asked)
	}
	p.leave()
	return err
}

// commitAgain is apart because a closure, although not made, would cost the
// plain case its registers. So it is with the others of these names.
//
//go:noinline
func (p *Producer) commitAgain() error {
	p.buryLate()
	return guarded(&p.section, p.Commit)
}

// seal adds what follows the payloads of the staged records, which may be
// filled until now: checksum and padding.
func (p *Producer) seal() {
	seq := p.first
	for pos := p.pos; pos < p.end; {
		m := frame.Meta(load64(p.metaWord(pos)))
		end, counts, err := p.header(pos, m)
		if err != nil || end > p.end {
			return // somebody else writes here: a consumer will find out
		}
		if m.Flags()&frame.Pad == 0 {
			off := pos & p.mask
			_ = frame.Seal(p.ring[off:off+end-pos], seq, m)
			if counts {
				seq++
			}
		}
		pos = end
	}
}

// checkpoint names the first committed record of each sixteenth of the ring
// that the batch has begun, after the commit of those records.
func (p *Producer) checkpoint() {
	for _, m := range p.marks {
		p.storePoint(checkpointAt(m.pos/p.sixteenth()), m)
	}
	p.marks = p.marks[:0]
	p.reweigh()
}

// Abort drops all staged records, whose sequences the next ones will have. Their
// payloads must not be touched any more.
func (p *Producer) Abort() {
	if !p.enter() {
		p.buryLate()
		_ = guarded(&p.section, func() error { p.Abort(); return nil })
		return
	}
	p.abort()
	p.leave()
}

func (p *Producer) abort() {
	if len(p.marks) > 0 {
		p.mark = p.marks[0].pos
		p.marks = p.marks[:0]
	}
	p.end, p.seq, p.bytes, p.plain = p.pos, p.first, load64(p.word(offBytes)), 0
}

// Close drops what is staged, ends the stream for every consumer (EOS) and
// gives the ring up for the next producer. The names of the ring stay: Remove.
// It waits for nobody (Drain) but a call of this handle, which it ends. A second
// Close returns os.ErrClosed.
func (p *Producer) Close() error {
	if !p.section.close(p.alarm.ring) {
		return os.ErrClosed
	}
	defer p.section.done()
	handles.Add(-1)
	// A reservation may still be in somebody's hands.
	reserved := p.end != p.pos
	errs := []error{p.section.last(func() { p.abort(); p.endOfStream(!reserved) })}
	p.unwatch()
	p.alarm.silence()
	p.strangers.silence()
	errs = append(errs, p.sync())
	errs = append(errs, p.discard(reserved || p.section.stranded()))
	errs = append(errs, p.unlock(), p.backing.release())
	return errors.Join(errs...)
}

// endOfStream commits an EOS frame if it may and there is room for it, and in
// any case says in the state where the stream ends. Where a reservation is
// still out, its holder may be writing at this moment to the place that the
// frame would take.
func (p *Producer) endOfStream(framed bool) {
	const n = 8
	m := frame.MakeMeta(n, 0, frame.EOS|p.flags())
	start, pad := p.place(uint64(m.Size()))
	need := start + uint64(m.Size()) + frame.HeaderSize
	if framed && (need <= p.limit || p.credit(need, 0)) {
		if pad > 0 {
			p.stage(p.end, frame.MakeMeta(int(pad)-frame.HeaderSize, 0, frame.Pad))
		}
		last := start + uint64(m.Size()) - frame.Align
		plain64(p.metaWord(last), 0)
		p.stage(start, m)
		off := start&p.mask + frame.HeaderSize
		var epoch [n]byte
		binary.LittleEndian.PutUint64(epoch[:], p.epoch)
		copyIn(p.ring[off:off+n], epoch[:])
		end := start + uint64(m.Size())
		if p.end = end; p.checksum {
			p.seal()
		}
		plain64(p.commitWord(end), 0) // as in Commit
		fenced64(p.commitWord(p.pos), p.first)
		p.pos = end
		plain64(p.word(offPosition), end)
	}
	store64(p.word(offState), p.pos|stateClosed)
	p.ringAll()
}

// detach is the end of a producer that never began.
func (p *Producer) detach() error {
	return errors.Join(p.unmap(), p.backing.release())
}

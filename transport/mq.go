package transport

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/transport/internal/mqueue"
)

// A message queue of the kernel. Its consumers compete: each record goes to one
// of them. The type of a record is the priority of its message, so order across
// types is the kernel's; frames of one type that follow each other share a message
// as far as they fit. Beside the queue there is a file: see mqLife.
var mqScheme = scheme{
	name: "mq", form: "mq://NAME",
	check: checkName, create: newMqProducer, open: newMqConsumer, inspect: inspectMq,
}

// minMessage has room for a small record.
const minMessage = 128

// ErrType: the medium has no such type.
var ErrType = errors.New("transport: type out of the medium's range")

type mqProducer struct {
	mu      sync.Mutex
	closing atomic.Bool
	stage
	q    *mqueue.Queue
	life *mqLife
	name string
	url  string

	messages []int // index of the first held frame of each message to be sent
	filled   int   // bytes of the last of them
	room     int   // messages that the queue had room for at the last look
	scratch  []byte
	bytes    uint64 // payload committed
}

func newMqProducer(t target, cfg ProducerConfig) (Producer, error) {
	p, err := makeMqProducer(t, cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.url, err)
	}
	return p, nil
}

func makeMqProducer(t target, cfg ProducerConfig) (_ *mqProducer, err error) {
	limits, err := mqueue.Limits()
	if err != nil {
		return nil, err
	}
	want := limits
	if cfg.Capacity > 0 { // a record takes up to a quarter, as on a ring
		want.Bytes = min(limits.Bytes, max(cfg.Capacity/4, minMessage))
		if want.Messages = cfg.Capacity / want.Bytes; want.Messages > limits.Messages || want.Messages < 1 {
			return nil, fmt.Errorf("%w: capacity %d, want %d to %d: the kernel allows %v (fs.mqueue.msg_max, msgsize_max)",
				ErrConfig, cfg.Capacity, minMessage, limits.Messages*limits.Bytes, limits)
		}
	}
	life, err := beginMqLife(t.name)
	if err != nil {
		return nil, err
	}
	q, err := mqueue.Create(t.name, want, 0o600)
	if err != nil {
		return nil, errors.Join(err, life.leave(true))
	}
	refuse := func(err error) (*mqProducer, error) {
		return nil, errors.Join(err, q.Close(), life.leave(false))
	}
	if cfg.Capacity > 0 && q.Size() != want {
		return refuse(fmt.Errorf("%w: capacity %d is %v, found %v", ErrGeometry, cfg.Capacity, want, q.Size()))
	}
	var flags frame.Flags
	if cfg.Checksum {
		flags = frame.CRC
	}
	most := largestIn(q.Size().Bytes, flags)
	if most < 1 || cfg.MaxRecord > most {
		return refuse(fmt.Errorf("%w: records of up to %d bytes, want 1 to %d: the queue holds %v",
			ErrConfig, max(cfg.MaxRecord, 1), most, q.Size()))
	}
	return &mqProducer{
		stage: newStage(1, cmp.Or(cfg.MaxRecord, most), flags),
		q:     q, life: life, name: t.name, url: t.url,
		scratch: make([]byte, 0, q.Size().Bytes),
	}, nil
}

func (p *mqProducer) TryReserve(h Header, n int) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing.Load() {
		return nil, os.ErrClosed
	}
	return p.reserve(h, n)
}

// Reserve waits until the queue has room for the message.
func (p *mqProducer) Reserve(ctx context.Context, h Header, n int) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.closing.Load() {
			return nil, os.ErrClosed
		}
		b, err := p.reserve(h, n)
		if err != ErrFull {
			return b, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := p.waitRoom(ctx); err != nil {
			return nil, err
		}
	}
}

// waitRoom waits for one message more than what is staged needs.
func (p *mqProducer) waitRoom(ctx context.Context) error {
	_ = p.q.SetWriteDeadline(time.Time{})
	stop := context.AfterFunc(ctx, func() { _ = p.q.SetWriteDeadline(longAgo) })
	defer stop()
	if p.closing.Load() {
		return os.ErrClosed
	}
	err := p.q.WaitRoom(len(p.messages) + 1)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil // the caller looks why
	}
	return err
}

func (p *mqProducer) reserve(h Header, n int) ([]byte, error) {
	if h.Type > mqueue.MaxPriority {
		return nil, fmt.Errorf("%w: type %d, want 0 to %d, which are the kernel's priorities", ErrType, h.Type, mqueue.MaxPriority)
	}
	if err := p.fits(n); err != nil {
		return nil, err
	}
	size := frame.Size(n, p.flags)
	share := len(p.held) > 0 && p.held[len(p.held)-1].meta.Type() == h.Type && p.filled+size <= p.q.Size().Bytes
	if !share {
		if most := p.q.Size().Messages; len(p.messages)+1 > most {
			return nil, fmt.Errorf("%w: %d messages staged, the queue holds %d", ErrBatchFull, len(p.messages), most)
		}
		if p.room <= len(p.messages) {
			queued, err := p.q.Queued()
			if err != nil {
				return nil, err
			}
			if p.room = p.q.Size().Messages - queued; p.room <= len(p.messages) {
				return nil, ErrFull
			}
		}
	}
	b, err := p.add(h, n)
	if err != nil {
		return nil, err
	}
	if share {
		p.filled += size
	} else {
		p.messages = append(p.messages, len(p.held)-1)
		p.filled = packetOverhead + size
	}
	return b, nil
}

// Commit sends. It waits only if somebody put back what it had taken, into the
// room that Reserve had found.
func (p *mqProducer) Commit() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing.Load() {
		return os.ErrClosed
	}
	p.seal()
	for i, from := range p.messages {
		to := len(p.held)
		if i+1 < len(p.messages) {
			to = p.messages[i+1]
		}
		b := p.preamble(p.first() + uint64(from))
		for j := from; j < to; j++ {
			b = append(b, p.frame(j)...)
		}
		_ = p.q.SetWriteDeadline(time.Time{})
		if p.closing.Load() {
			return os.ErrClosed
		}
		if err := p.q.Send(b, uint(p.held[from].meta.Type())); err != nil {
			return fmt.Errorf("%s: %w", p.url, err)
		}
		p.room--
	}
	p.bytes += p.stage.bytes
	p.clear()
	p.messages = p.messages[:0]
	return nil
}

func (p *mqProducer) preamble(first uint64) []byte {
	return frame.Preamble{Epoch: p.life.epoch, First: first}.Append(p.scratch[:0])
}

func (p *mqProducer) Abort() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.abort()
}

func (p *mqProducer) abort() {
	p.drop(len(p.held))
	p.messages = p.messages[:0]
}

func (p *mqProducer) Sequence() uint64 { return p.next }
func (p *mqProducer) MaxRecord() int   { return p.most }

func (p *mqProducer) WaitConsumers(context.Context, int) error {
	return fmt.Errorf("a message queue cannot count its consumers: %w", errors.ErrUnsupported)
}

// drainLook is how often Drain looks.
const drainLook = 2 * time.Millisecond

// Drain waits until the queue is empty. It cannot say who lags, only how much
// is left.
func (p *mqProducer) Drain(ctx context.Context) error {
	t := time.NewTicker(drainLook)
	defer t.Stop()
	for {
		n, err := p.queued()
		if n == 0 || err != nil {
			return err
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return fmt.Errorf("%d messages are left in the queue: %w", n, ctx.Err())
		}
	}
}

// queued is how many messages are in the queue, the end of an earlier stream
// apart. If a single one is left it may be that, which only shows when it is
// taken; a record goes back at once.
func (p *mqProducer) queued() (int, error) {
	n, err := p.q.Queued()
	if n != 1 || err != nil || !p.life.stale {
		return n, err
	}
	b := make([]byte, p.q.Size().Bytes)
	n, priority, err := p.q.TryReceive(b)
	if err == mqueue.ErrEmpty {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	p.life.stale = false // it is that, or it has gone already: one look will do
	if m, err := openPacket(b[:n]); err == nil && m.epoch < p.life.epoch {
		if rec, err := m.frame(); err == nil && rec.Flags()&frame.EOS != 0 {
			return 0, nil
		}
	}
	return 1, p.q.TrySend(b[:n], uint(priority))
}

func (p *mqProducer) Stats() (Stats, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.q.Size()
	return Stats{
		Name: p.name, Capacity: s.Messages * s.Bytes, MaxRecord: p.most, Checksum: p.flags != 0,
		Epoch: p.life.epoch, Ended: p.closing.Load(),
		Producer: ProducerStats{Alive: !p.closing.Load(), Published: p.first() - 1, Bytes: p.bytes},
	}, nil
}

// Close ends the stream. A queue with nothing in it goes; what is left in
// another stays there, with the queue, for consumers to come.
func (p *mqProducer) Close() error {
	if p.closing.Swap(true) {
		return os.ErrClosed
	}
	_ = p.q.SetWriteDeadline(longAgo)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.abort()
	queued, err := p.queued()
	err = errors.Join(err, p.life.end())
	eos := frame.NewRecord(p.next, 0, frame.EOS|p.flags, binary.LittleEndian.AppendUint64(nil, p.life.epoch))
	// Where it does not fit the file says that the stream has ended.
	if serr := p.q.TrySend(frame.Append(p.preamble(p.next), eos), 0); serr != mqueue.ErrFull {
		err = errors.Join(err, serr)
	}
	empty := err == nil && queued == 0
	if empty {
		if rerr := mqueue.Remove(p.name); !errors.Is(rerr, fs.ErrNotExist) {
			err = rerr
		}
	}
	return errors.Join(err, p.q.Close(), p.life.leave(empty))
}

func inspectMq(t target) (Stats, error) {
	life, err := openMqLife(t.name)
	if err != nil {
		return Stats{}, fmt.Errorf("%s: %w", t.url, err)
	}
	defer life.close()
	q, err := mqueue.Open(t.name)
	if err != nil {
		return Stats{}, fmt.Errorf("%s: %w", t.url, err)
	}
	defer q.Close()
	alive, err := life.alive()
	s := q.Size()
	return Stats{
		Name: t.name, Capacity: s.Messages * s.Bytes, MaxRecord: largestIn(s.Bytes, 0),
		Epoch: life.state().epoch, Ended: life.state().ended && !alive,
		Producer: ProducerStats{Alive: alive},
	}, err
}

var _ Producer = (*mqProducer)(nil)

package transport

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/transport/internal/mqueue"
)

type mqConsumer struct {
	mu sync.Mutex
	reading
	closed  atomic.Bool
	died    atomic.Bool // the lock may be free
	q       *mqueue.Queue
	life    *mqLife
	alarm   alarm
	unwatch func()

	now      packet // the message being viewed
	priority uint
	epoch    uint64
	next     uint64
	ended    bool

	used [][]byte // buffers with records that are not released
	free [][]byte
}

func newMqConsumer(ctx context.Context, t target, cfg ConsumerConfig) (Consumer, error) {
	if len(cfg.Types) > 0 {
		return nil, fmt.Errorf("%s: %w: choosing by type: the records that a consumer of a queue takes and does not want are lost to the others: %w",
			t.url, ErrConfig, errors.ErrUnsupported)
	}
	if _, err := mqueue.Limits(); err != nil {
		return nil, fmt.Errorf("%s: %w", t.url, err)
	}
	return await(ctx, t, func() (Consumer, error) {
		c, err := openMqConsumer(t.name, cfg)
		if err != nil {
			return nil, err
		}
		return c, nil
	}, func(err error, _ time.Duration) bool {
		return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotYet) || errors.Is(err, errDead) || errors.Is(err, errEnded) || errors.Is(err, errGone)
	})
}

func openMqConsumer(name string, cfg ConsumerConfig) (_ *mqConsumer, err error) {
	life, err := openMqLife(name)
	if err != nil {
		return nil, err
	}
	c := &mqConsumer{reading: newReading(cfg), life: life}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.release())
		}
	}()
	if c.q, err = mqueue.Open(name); err != nil {
		return nil, err
	}
	// The two belong together if the file still has its name now: it loses it
	// after the queue does.
	if named, err := life.file.Named(); err != nil || !named {
		return nil, cmp.Or(err, errGone)
	}
	alive, err := life.alive()
	if err != nil {
		return nil, err
	}
	s := life.state()
	switch {
	case alive && s.ended, s.epoch == 0:
		return nil, errNotYet
	case !alive && s.ended && !cfg.From.Kept():
		return nil, errEnded
	case !alive && !cfg.From.Kept():
		return nil, errDead
	}
	c.epoch, c.next = s.epoch, 1
	c.alarm.of = c.q
	c.died.Store(!alive)
	c.unwatch = life.file.Watch(func() {
		if alive, err := life.alive(); err == nil && !alive {
			c.died.Store(true)
			c.alarm.ring()
		}
	})
	if alive, err := life.alive(); err == nil && !alive {
		c.died.Store(true)
	}
	return c, nil
}

func (c *mqConsumer) TryNext() (Record, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.try(c.q.TryReceive)
}

func (c *mqConsumer) Next(ctx context.Context) (Record, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rec, err := c.try(c.q.TryReceive)
	if err != ErrEmpty {
		return rec, err
	}
	stop := context.AfterFunc(ctx, c.alarm.ring)
	defer stop()
	for {
		if err := ctx.Err(); err != nil {
			return Record{}, err
		}
		c.alarm.arm()
		if c.died.Load() {
			if rec, err := c.try(c.q.TryReceive); err != ErrEmpty {
				return rec, err
			}
		}
		rec, err := c.try(c.q.Receive)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return rec, err
		}
	}
}

func (c *mqConsumer) try(receive func([]byte) (int, uint32, error)) (Record, error) {
	for {
		if c.closed.Load() {
			return Record{}, os.ErrClosed
		}
		if c.ended {
			return Record{}, io.EOF
		}
		rec, err := c.now.frame()
		if err == io.EOF {
			if err := c.receive(receive); err != nil {
				return Record{}, err
			}
			continue
		}
		if err != nil {
			return Record{}, err
		}
		if rec.Flags()&frame.EOS != 0 {
			if err := c.endOfStream(rec); err != nil {
				return Record{}, err
			}
			continue
		}
		c.received++
		c.next = rec.Sequence + 1
		return rec, nil
	}
}

// receive takes the next message.
func (c *mqConsumer) receive(receive func([]byte) (int, uint32, error)) error {
	b := c.buffer()
	n, priority, err := receive(b)
	if err != nil {
		c.free = append(c.free, b)
		if err == mqueue.ErrEmpty {
			return c.empty()
		}
		return err
	}
	c.used = append(c.used, b)
	c.now, err = openPacket(b[:n])
	c.priority = uint(priority)
	c.epoch = max(c.epoch, c.now.epoch)
	return err
}

func (c *mqConsumer) buffer() []byte {
	if n := len(c.free); n > 0 {
		b := c.free[n-1]
		c.free = c.free[:n-1]
		return b
	}
	return make([]byte, c.q.Size().Bytes)
}

// empty says what it means that there is no message. nil: there is one now.
func (c *mqConsumer) empty() error {
	if !c.died.Swap(false) {
		return ErrEmpty
	}
	alive, err := c.life.alive()
	if err != nil || alive {
		return cmp.Or(err, ErrEmpty)
	}
	c.died.Store(true)
	// What it sent before it died is there by now.
	if n, err := c.q.Queued(); err != nil || n > 0 {
		return err
	}
	if c.life.state().ended {
		c.ended = true
		return io.EOF
	}
	return ErrProducerDied
}

// endOfStream puts the end back for the others. One that is older than the
// producer that lives has nothing to say.
func (c *mqConsumer) endOfStream(rec Record) error {
	s := c.life.state()
	epoch := binary.LittleEndian.Uint64(rec.Payload())
	if epoch < s.epoch || !s.ended {
		return nil
	}
	// What somebody else put back comes behind it.
	left, err := c.q.Queued()
	if err != nil {
		return err
	}
	c.ended = left == 0
	b := frame.Preamble{Epoch: epoch, First: rec.Sequence}.Append(nil)
	// No room: then records of the next producer are there, which are the news.
	if err := c.q.TrySend(frame.Append(b, rec), 0); err != nil && err != mqueue.ErrFull {
		return err
	}
	return nil
}

func (c *mqConsumer) Release() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The last buffer may have records that were not viewed yet.
	if n := len(c.used); n > 0 {
		keep := 0
		if len(c.now.rest) > 0 {
			keep = 1
		}
		c.free = append(c.free, c.used[:n-keep]...)
		c.used = append(c.used[:0], c.used[n-keep:]...)
	}
	return nil
}

// wakeUp is how often WaitProducer looks.
const wakeUp = 10 * time.Millisecond

func (c *mqConsumer) WaitProducer(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := time.NewTicker(wakeUp)
	defer t.Stop()
	for {
		if c.closed.Load() {
			return os.ErrClosed
		}
		if named, err := c.life.file.Named(); err != nil || !named {
			return cmp.Or(err, ErrRemoved)
		}
		alive, err := c.life.alive()
		if err != nil {
			return err
		}
		if s := c.life.state(); alive && !s.ended && s.epoch > 0 {
			c.ended, c.epoch = false, max(c.epoch, s.epoch)
			c.died.Store(false)
			return nil
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *mqConsumer) Sequence() uint64     { return c.next }
func (c *mqConsumer) Epoch() uint64        { return c.epoch }
func (c *mqConsumer) Stats() ConsumerStats { return c.stats(c.next) }

// Close puts the records of the last message that were not viewed back into the
// queue.
func (c *mqConsumer) Close() error {
	if c.closed.Swap(true) {
		return os.ErrClosed
	}
	c.alarm.ring()
	c.unwatch()
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.putBack(), c.release())
}

// putBackPatience bounds the wait for room.
const putBackPatience = time.Second

func (c *mqConsumer) putBack() error {
	if len(c.now.rest) == 0 {
		return nil
	}
	b := frame.Preamble{Epoch: c.now.epoch, First: c.now.next}.Append(nil)
	_ = c.q.SetWriteDeadline(time.Now().Add(putBackPatience))
	if err := c.q.Send(append(b, c.now.rest...), c.priority); err != nil {
		return fmt.Errorf("mq: records from %d on were taken, not viewed, and could not be put back: %w", c.now.next, err)
	}
	return nil
}

func (c *mqConsumer) release() error {
	var err error
	if c.q != nil {
		err = c.q.Close()
	}
	return errors.Join(err, c.life.close())
}

var _ Consumer = (*mqConsumer)(nil)

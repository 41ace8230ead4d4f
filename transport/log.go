package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/transport/internal/seglog"
)

// A log is a folder of segment files that only grow: see package seglog. No
// consumer ever gates its producer; one that retention overtakes is told what
// it missed.
var logScheme = scheme{
	name: "log", form: "log:///DIR",
	check: checkPath, create: newLogProducer, open: newLogConsumer, inspect: inspectLog,
}

// largest is the largest payload where nothing else is said: as of a ring
// of the default capacity.
func (cfg ProducerConfig) largest() int {
	capacity := cfg.Capacity
	if capacity == 0 {
		capacity = DefaultCapacity
	}
	return capacity/4 - frame.HeaderSize
}

type logProducer struct {
	ungated
	w      *seglog.Writer
	dir    string
	failed bool // and told
}

func newLogProducer(t target, cfg ProducerConfig) (Producer, error) {
	if cfg.Perm&^0o700 != 0 {
		return nil, fmt.Errorf("%s: %w: mode %#o, want owner bits only", t.url, ErrConfig, cfg.Perm)
	}
	most := cfg.MaxRecord
	if most == 0 {
		most = cfg.largest()
	}
	if most < 1 || most > frame.MaxPayload {
		return nil, fmt.Errorf("%s: %w: records of up to %d bytes, want 1 to %d", t.url, ErrConfig, most, frame.MaxPayload)
	}
	label := cfg.Label
	if label == "" {
		label = "producer"
	}
	w, err := seglog.Create(t.name, seglog.Config{
		Segment:     cfg.Segment,
		RetainBytes: cfg.Retain.Bytes, RetainAge: cfg.Retain.Age,
		Sync: seglog.Sync(cfg.Sync),
		Perm: cfg.Perm, Owner: fmt.Sprintf("%s, pid %d", label, os.Getpid()),
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.url, err)
	}
	if cfg.Notice != nil {
		for _, n := range w.Notes() {
			cfg.Notice(n)
		}
	}
	return &logProducer{ungated: newUngated(newStage(w.Next(), most, frame.CRC)), w: w, dir: t.name}, nil
}

// Commit of a log: what it returns nil for survives a kill, and with
// Syncing.Each a power cut. An error is final; whole records of the batch
// may be in the log, as after a kill.
func (p *logProducer) Commit() error {
	return p.commit(func() error {
		err := p.w.Append(p.buf, uint64(len(p.held)))
		if err != nil {
			p.failed = true
			err = fmt.Errorf("%s: %w", p.dir, err)
		}
		return err
	})
}

// Sync is Syncer's. It may be called from any goroutine.
func (p *logProducer) Sync() error {
	if err := p.w.Sync(); err != nil {
		return fmt.Errorf("%s: %w", p.dir, err)
	}
	return nil
}

func (p *logProducer) WaitConsumers(context.Context, int) error {
	return fmt.Errorf("a log cannot count its consumers, who need not be there yet: %w", errors.ErrUnsupported)
}

func (p *logProducer) Stats() (Stats, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{
		Name: p.dir, MaxRecord: p.most, Checksum: true, Epoch: p.w.Epoch(), Ended: p.closed.Load(),
		Producer: ProducerStats{Alive: !p.closed.Load(), Published: p.behind - 1, Position: uint64(p.w.Bytes()), Bytes: p.bytes},
	}, nil
}

// Close ends the stream. The log stays.
func (p *logProducer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Swap(true) {
		return os.ErrClosed
	}
	if p.failed { // it ends as after a kill
		return p.w.Close()
	}
	eos := frame.NewRecord(p.behind, 0, frame.EOS|frame.CRC, binary.LittleEndian.AppendUint64(nil, p.w.Epoch()))
	return errors.Join(p.w.Append(frame.Append(nil, eos), 0), p.w.Close())
}

type logConsumer struct {
	reading
	r *seglog.Reader
}

func newLogConsumer(ctx context.Context, t target, cfg ConsumerConfig) (Consumer, error) {
	return await(ctx, t, func() (Consumer, error) {
		r, err := seglog.Open(t.name, seglog.Place{Start: cfg.From, Since: cfg.Since})
		if err != nil {
			return nil, err
		}
		return &logConsumer{reading: newReading(cfg), r: r}, nil
	}, func(err error, _ time.Duration) bool {
		return errors.Is(err, fs.ErrNotExist) || errors.Is(err, seglog.ErrNotYet) ||
			errors.Is(err, seglog.ErrDead) || errors.Is(err, seglog.ErrEnded)
	})
}

func (c *logConsumer) Next(ctx context.Context) (Record, error) {
	return c.take(func() (Record, error) { return c.r.Next(ctx, c.wait) })
}

func (c *logConsumer) TryNext() (Record, error) { return c.take(c.r.TryNext) }

func (c *logConsumer) take(next func() (Record, error)) (Record, error) {
	for {
		rec, err := next()
		if err != nil {
			if over, ok := errors.AsType[*OverrunError](err); ok {
				c.lost += over.Lost
			}
			return rec, err
		}
		if c.received++; c.wanted(rec.Type()) {
			return rec, nil
		}
	}
}

func (c *logConsumer) Release() error {
	c.r.Release()
	return nil
}

func (c *logConsumer) WaitProducer(ctx context.Context) error { return c.r.Wait(ctx) }
func (c *logConsumer) Sequence() uint64                       { return c.r.Sequence() }
func (c *logConsumer) Epoch() uint64                          { return c.r.Epoch() }
func (c *logConsumer) Stats() ConsumerStats                   { return c.stats(c.r.Sequence()) }
func (c *logConsumer) Close() error                           { return c.r.Close() }

func inspectLog(t target) (Stats, error) {
	in, err := seglog.Inspect(t.name)
	if err != nil {
		return Stats{}, fmt.Errorf("%s: %w", t.url, err)
	}
	return Stats{
		Name: t.name, MaxRecord: frame.MaxPayload, Checksum: true, Epoch: in.Epoch, Ended: in.Ended && !in.Alive,
		Producer: ProducerStats{Alive: in.Alive, Owner: in.Owner, Published: max(in.Next, 1) - 1, Position: uint64(in.Bytes)},
	}, nil
}

var (
	_ Producer = (*logProducer)(nil)
	_ Syncer   = (*logProducer)(nil)
	_ Consumer = (*logConsumer)(nil)
)

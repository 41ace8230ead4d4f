package transport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/carousel-ipc/carousel/ring"
	"github.com/carousel-ipc/carousel/shm"
)

// Rings under a name and rings in a file differ in how they are found and in
// what stays of them.
var (
	shmMedium = ringMedium{
		create:  byName(ring.Create),
		open:    here(ring.Open),
		remove:  ring.Remove,
		removed: true,
		others:  []string{fileForm, memfdForm},
	}
	shmScheme = shmMedium.scheme("shm", "shm://NAME", checkName)

	fileScheme = ringMedium{
		create: byName(ring.CreateFile),
		open:   here(ring.OpenFile),
		remove: ring.RemoveFile,
	}.scheme("file", fileForm, checkPath)
)

const (
	fileForm  = "file:///PATH"
	memfdForm = "memfd:///PATH.sock"
)

type ringMedium struct {
	create  func(name string, cfg ProducerConfig) (*ring.Ring, error)
	open    func(ctx context.Context, name string) (*ring.Ring, error)
	remove  func(name string) error
	removed bool     // a producer that closes removes the names
	others  []string // URLs that may do where this one cannot
}

func (m ringMedium) scheme(name, form string, check func(string) (string, error)) scheme {
	return scheme{name: name, form: form, check: check, create: m.newProducer, open: m.newConsumer, inspect: m.inspect}
}

// byName and here fit functions that need less than others do.
func byName(create func(string, ring.Config) (*ring.Ring, error)) func(string, ProducerConfig) (*ring.Ring, error) {
	return func(name string, cfg ProducerConfig) (*ring.Ring, error) { return create(name, cfg.ring()) }
}

func here(open func(string) (*ring.Ring, error)) func(context.Context, string) (*ring.Ring, error) {
	return func(_ context.Context, name string) (*ring.Ring, error) { return open(name) }
}

func (cfg ProducerConfig) ring() ring.Config {
	return ring.Config{Capacity: cfg.Capacity, MaxRecord: cfg.MaxRecord, Slots: cfg.Slots, Checksum: cfg.Checksum, Rendezvous: cfg.Rendezvous, Perm: cfg.Perm}
}

// lookEvery is how often Open looks for something to read.
const lookEvery = 5 * time.Millisecond

// newProducer makes the ring or takes it over. Between the two steps another
// producer may close and remove the names; then it starts anew.
func (m ringMedium) newProducer(t target, cfg ProducerConfig) (Producer, error) {
	const tries = 100
	for i := 1; ; i++ {
		p, err := m.tryProducer(t, cfg)
		switch {
		case err == nil:
			return p, nil
		case i < tries && m.removed && (errors.Is(err, ring.ErrRemoved) || errors.Is(err, fs.ErrNotExist)):
			time.Sleep(time.Millisecond)
		default:
			return nil, fmt.Errorf("%s: %w", t.url, m.instead(err))
		}
	}
}

func (m ringMedium) tryProducer(t target, cfg ProducerConfig) (Producer, error) {
	r, err := m.create(t.name, cfg)
	if err != nil {
		return nil, err
	}
	defer r.Close() // the producer lives on
	p, err := r.NewProducer(ring.ProducerConfig{Wait: cfg.Wait, Label: cfg.Label})
	if err != nil {
		return nil, err
	}
	return &ringProducer{Producer: p, close: sync.OnceValue(func() error { return m.closeProducer(p, t.name) })}, nil
}

// closeProducer ends the stream, then removes the names if the medium says so.
// A producer that came in between keeps them.
func (m ringMedium) closeProducer(p *ring.Producer, name string) error {
	err := p.Close()
	if !m.removed {
		return err
	}
	rerr := m.remove(name)
	if errors.Is(rerr, ring.ErrProducerLive) || errors.Is(rerr, fs.ErrNotExist) {
		rerr = nil
	}
	return errors.Join(err, rerr)
}

// newConsumer looks, at least once, until there is something to read or ctx
// ends.
func (m ringMedium) newConsumer(ctx context.Context, t target, cfg ConsumerConfig) (Consumer, error) {
	start := time.Now()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		c, err := m.tryConsumer(ctx, t, cfg)
		if err == nil {
			return c, nil
		}
		if !m.passing(err, time.Since(start)) {
			return nil, fmt.Errorf("%s: %w", t.url, m.instead(err))
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, noProducer(ctx, t.url, start, err)
		}
	}
}

// What a look may find besides a ring to read.
var (
	errNotYet = errors.New("the ring has no producer yet")
	errDead   = errors.New("the producer is dead (what it left can be read from oldest or seq=N)")
	errEnded  = errors.New("the stream has ended")
)

// settled is how long two files that do not fit together may be the fault of
// a producer that is just making or removing them.
const settled = 250 * time.Millisecond

// passing tells whether another look may find better.
func (m ringMedium) passing(err error, waited time.Duration) bool {
	switch {
	case errors.Is(err, shm.ErrNoNamedDir): // a folder that is not there is no ring that is still to come
		return false
	case errors.Is(err, errNotYet), errors.Is(err, errDead), errors.Is(err, errEnded),
		errors.Is(err, fs.ErrNotExist), errors.Is(err, ring.ErrRemoved), errors.Is(err, ring.ErrProducerDied), errors.Is(err, errSilent):
		return true
	case errors.Is(err, ring.ErrFormat):
		return waited < settled
	}
	return false
}

func (m ringMedium) tryConsumer(ctx context.Context, t target, cfg ConsumerConfig) (Consumer, error) {
	r, err := m.open(ctx, t.name)
	if err != nil {
		return nil, err
	}
	defer r.Close() // the consumer lives on
	if err := m.readable(r, cfg.From); err != nil {
		return nil, err
	}
	c, err := r.NewConsumer(cfg.ring())
	if err != nil {
		return nil, err
	}
	return c, nil
}

// readable is nil if a consumer that begins at from finds records in r, now or
// from the producer that lives.
func (m ringMedium) readable(r *ring.Ring, from Start) error {
	alive, err := r.ProducerAlive()
	switch {
	case err != nil:
		return err
	case r.Epoch() == 0: // made, and not yet begun
		return errNotYet
	case alive && r.Ended(): // about to begin anew, or to leave
		return errNotYet
	case alive:
		return nil
	case r.Ended() && m.removed, r.Ended() && !from.Kept():
		return errEnded
	case !from.Kept():
		return errDead
	}
	return nil
}

func (m ringMedium) inspect(t target) (Stats, error) {
	r, err := m.open(context.Background(), t.name)
	if err != nil {
		return Stats{}, fmt.Errorf("%s: %w", t.url, m.instead(err))
	}
	defer r.Close()
	return r.Stats()
}

// ringProducer gives the ring's producer the interface's Reserve and Close.
type ringProducer struct {
	*ring.Producer
	close func() error
}

func (p *ringProducer) Reserve(ctx context.Context, h Header, n int) ([]byte, error) {
	return p.Producer.ReserveRecord(ctx, h, n)
}

func (p *ringProducer) TryReserve(h Header, n int) ([]byte, error) {
	return p.Producer.TryReserveRecord(h, n)
}

func (p *ringProducer) Close() error { return p.close() }

// Sequence numbers and other simple questions are answered by *ring.Consumer
// itself, which is a Consumer as it stands.
var (
	_ Consumer = (*ring.Consumer)(nil)
	_ Producer = (*ringProducer)(nil)
)

package transport

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carousel-ipc/carousel/ring"
	"github.com/carousel-ipc/carousel/shm"
)

// A cast is the producer of every medium that is a stream: one ring in this
// process, on which each consumer elsewhere has a place of its own, kept by a
// sender. So policies, credit and losses are the ring's, and what is sent is
// the ring's own bytes.
type cast struct {
	*ring.Producer
	ring   *ring.Ring
	memory *shm.Region
	meets  bool            // a rendezvous
	asked  context.Context // of the last Reserve
	url    string

	room *room // given back by senders

	commits atomic.Uint64 // its update is the fence between a commit and the look for sleepers
	mu      sync.Mutex
	senders atomic.Pointer[[]*sender]
	closing bool

	// lone: there is one consumer, and nothing without it. gone is set when it
	// has left or died. uncounted: nobody can tell whether it is there.
	lone, uncounted bool

	gone  atomic.Pointer[error]
	told  atomic.Bool
	alone chan struct{} // closed with it

	stop  func() error // ends the coming of consumers
	after func() error // the last step of Close
	ended sync.Once
	err   error
}

// newCast makes the ring and becomes its producer.
func newCast(url string, cfg ProducerConfig) (*cast, error) {
	geometry := cfg.ring()
	geometry.Rendezvous = false // Commit sees to that, behind waking the senders
	r, memory, err := castRing(geometry)
	if err != nil {
		return nil, err
	}
	p, err := r.NewProducer(ring.ProducerConfig{Wait: cfg.Wait, Label: cfg.Label})
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	nothing := func() error { return nil }
	c := &cast{Producer: p, meets: cfg.Rendezvous, ring: r, memory: memory, url: url, room: newRoom(cfg.Wait), stop: nothing, after: nothing, alone: make(chan struct{})}
	c.senders.Store(&[]*sender{})
	casts.Store(url, c)
	return c, nil
}

// castRing makes a ring in memory of its own. That stays, empty, after the end:
// the user may hold what Reserve returned. But the sockets that were given its
// pages keep them as they were (Blank).
func castRing(cfg ring.Config) (*ring.Ring, *shm.Region, error) {
	n, err := ring.Size(cfg)
	if err != nil {
		return nil, nil, err
	}
	memory, err := castMemory(n)
	if err != nil {
		return nil, nil, err
	}
	r, err := ring.Format(memory.Bytes(), cfg)
	if err != nil {
		return nil, nil, errors.Join(err, memory.Unmap())
	}
	return r, memory, nil
}

// casts are the live producers of this process by URL: what is a stream has no
// name under which others could look at it.
var casts sync.Map

// attend gives a consumer a place on the ring and begins to send.
func (p *cast) attend(out conn, cfg ring.ConsumerConfig, how sending) (*sender, error) {
	c, err := p.ring.NewConsumer(cfg)
	if err != nil {
		return nil, err
	}
	s, err := newSender(p, out, c, how)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return nil, errors.Join(ErrRemoved, c.Close())
	}
	p.setSenders(append(p.present(), s))
	return s, nil
}

func (p *cast) present() []*sender { return *p.senders.Load() }

// setSenders stores a list of its own; mu is held.
func (p *cast) setSenders(list []*sender) {
	list = append([]*sender(nil), list...)
	p.senders.Store(&list)
}

// left forgets a sender that has ended with err.
func (p *cast) left(s *sender, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var rest []*sender
	for _, other := range p.present() {
		if other != s {
			rest = append(rest, other)
		}
	}
	p.setSenders(rest)
	p.room.given()
	if p.lone && err != nil && p.gone.CompareAndSwap(nil, &err) {
		close(p.alone)
	}
}

func (p *cast) goneErr() error {
	if err := p.gone.Load(); err != nil {
		p.told.Store(true)
		return *err
	}
	return nil
}

// Gone is closed when the one consumer of a medium that has no other has left
// or died; every call then says so.
func (p *cast) Gone() <-chan struct{} { return p.alone }

var errUncounted = fmt.Errorf("transport: the one consumer of a pipe is not waited for: %w", errors.ErrUnsupported)

// lateErr is goneErr if that was not told before.
func (p *cast) lateErr() error {
	if p.told.Load() {
		return nil
	}
	return p.goneErr()
}

func (p *cast) Reserve(ctx context.Context, h Header, n int) ([]byte, error) {
	if err := p.goneErr(); err != nil {
		return nil, err
	}
	p.asked = ctx
	b, err := p.await(ctx, h, n)
	if gone := p.goneErr(); gone != nil {
		return nil, gone
	}
	return b, err
}

func (p *cast) TryReserve(h Header, n int) ([]byte, error) {
	if err := p.goneErr(); err != nil {
		return nil, err
	}
	p.asked = nil
	return p.Producer.TryReserveRecord(h, n)
}

func (p *cast) Commit() error {
	if err := p.goneErr(); err != nil {
		return err
	}
	err := p.Producer.Commit()
	p.serve()
	if err != nil || !p.meets {
		return err
	}
	ctx := p.asked
	if ctx == nil {
		ctx = context.Background()
	}
	return p.Drain(ctx)
}

// serve has everybody sent what was committed. For one consumer this goroutine
// does that itself, if it can be done at once; many are better served side by
// side.
func (p *cast) serve() {
	p.commits.Add(1)
	all := p.present()
	if len(all) == 1 && all[0].offer() {
		return
	}
	for _, s := range all {
		s.wake()
	}
}

// wake rings for the senders that found nothing.
func (p *cast) wake() {
	p.commits.Add(1)
	for _, s := range p.present() {
		s.wake()
	}
}

func (p *cast) WaitConsumers(ctx context.Context, n int) error {
	if p.uncounted {
		return errUncounted
	}
	return p.Producer.WaitConsumers(ctx, n)
}

func (p *cast) Drain(ctx context.Context) error {
	err := p.Producer.Drain(ctx)
	if gone := p.lateErr(); gone != nil {
		return gone
	}
	return err
}

func (p *cast) Stats() (Stats, error) {
	st, err := p.Producer.Stats()
	st.Name = p.url
	return st, err
}

func (p *cast) Close() error {
	again := true
	p.ended.Do(func() {
		again = false
		p.err = p.close()
	})
	if again {
		return os.ErrClosed
	}
	return p.err
}

// closePatience is how long Close waits for a consumer that takes nothing: what
// it has not been sent by then it will not see.
const closePatience = 2 * time.Second

func (p *cast) close() error {
	casts.CompareAndDelete(p.url, p)
	errs := []error{p.stop()}
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	errs = append(errs, p.Producer.Close())
	p.room.given() // whoever waits for it finds out
	p.wake()
	var all sync.WaitGroup
	for _, s := range p.present() {
		all.Go(func() { s.finish(closePatience) })
	}
	all.Wait()
	errs = append(errs, p.lateErr(), p.ring.Close(), p.memory.Blank(), p.after())
	return errors.Join(errs...)
}

var _ Producer = (*cast)(nil)

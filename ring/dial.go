package ring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

// Dial attaches to the ring that a producer serves at the socket path. The
// Ring has a place for one consumer, which is given back when both are closed;
// whoever wants more dials again. What is handed over is verified before it is
// mapped.
//
// Errors: fs.ErrNotExist when there is no socket; ErrProducerDied when nobody
// listens there any more; ErrRefused; ErrNoSlot; ErrFormat; the error of ctx.
func Dial(ctx context.Context, path string) (*Ring, error) {
	c, stop, err := callOn(ctx, path)
	if err != nil {
		return nil, err
	}
	return takePlace(ctx, c, stop, path)
}

// takePlace attaches to the ring of whoever is at the other end of c, which it
// takes over.
func takePlace(ctx context.Context, c *net.UnixConn, stop func() bool, name string) (*Ring, error) {
	b, err := receive(ctx, c, name)
	if err == nil && !stop() {
		err = errors.Join(ctx.Err(), b.closeMemory())
	}
	if err != nil {
		stop()
		hangUp(c)
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	b.acquire()
	go b.listen()
	return open(b, b.geo)
}

var errNobodyListens = fmt.Errorf("%w: nobody listens", ErrProducerDied)

// callOn connects. Until stop is called, the end of ctx ends what is done with
// the connection; stop tells whether it came in time.
func callOn(ctx context.Context, path string) (c *net.UnixConn, stop func() bool, err error) {
	if err := checkSocketPath(path); err != nil {
		return nil, nil, err
	}
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "unix", path)
		if err == nil {
			c = conn.(*net.UnixConn)
			break
		}
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			return nil, nil, fmt.Errorf("%w at %s: %w", errNobodyListens, path, err)
		case !errors.Is(err, syscall.EAGAIN): // a queue of others
			return nil, nil, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	return c, hurry(ctx, c), nil
}

// hurry lets the end of ctx end what is done with c.
func hurry(ctx context.Context, c *net.UnixConn) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
}

// ask says hello and reads the reply, with so many descriptors.
func ask(ctx context.Context, c *net.UnixConn, w wish, descriptors int) (reply, []*os.File, error) {
	_, werr := c.Write(hello{version: handshakeVersion, wish: w}.bytes())
	// A producer that refuses may do so before it has read anything.
	r, files, err := readReply(c, descriptors)
	if err == nil {
		return r, files, nil
	}
	switch {
	case ctx.Err() != nil:
		err = fmt.Errorf("%w during the handshake: %w", ctx.Err(), err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		err = errors.Join(fmt.Errorf("%w during the handshake: %w", ErrProducerDied, err), werr)
	}
	return r, nil, err
}

func parseStats(text string) (s Stats, err error) {
	if err = json.Unmarshal([]byte(text), &s); err != nil {
		err = fmt.Errorf("%w: statistics: %w", ErrFormat, err)
	}
	return s, err
}

// receive takes an offer and verifies it.
func receive(ctx context.Context, c *net.UnixConn, path string) (b *dialedBacking, err error) {
	producer, err := shm.PeerUser(c)
	if err != nil {
		return nil, err
	}
	r, files, err := ask(ctx, c, wishPlace, 2)
	if err != nil {
		return nil, err
	}
	b = &dialedBacking{path: path, conn: c, slot: int(r.slot), dead: make(chan struct{}), answer: make(chan struct{}, 1),
		alone: producer == uint32(os.Geteuid()) && r.flags&flagManyUsers == 0, patience: r.patience}
	if b.memory, err = shm.OpenMemfd(files[0], int64(r.size), shm.SealedForReaders, shm.ReadOnly); err != nil {
		shm.Discard(files[1])
		return nil, fmt.Errorf("%w: broadcast segment: %w", ErrFormat, err)
	}
	if b.own, err = shm.OpenMemfd(files[1], page, shm.SealedForWriters, shm.ReadWrite); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: slot: %w", ErrFormat, err), b.memory.Close())
	}
	head, err := readHead(b.memory)
	if err == nil {
		b.geo, err = readGeometry(head)
	}
	switch {
	case err != nil:
	case b.geo.broadcastSize() != r.size:
		err = sizeError("broadcast segment", b.geo.broadcastSize(), r.size)
	case creationOf(head) != r.id:
		err = fmt.Errorf("%w: broadcast segment of creation %x, want %x", ErrFormat, creationOf(head), r.id)
	case b.slot < 0 || b.slot >= b.geo.slots:
		err = fmt.Errorf("%w: slot %d, want one of %d", ErrFormat, b.slot, b.geo.slots)
	}
	if err != nil {
		return nil, errors.Join(err, b.closeMemory())
	}
	return b, nil
}

// dialedBacking is a served ring as a consumer has it: whether its producer
// lives is whether the connection does.
type dialedBacking struct {
	path     string
	geo      geometry
	conn     *net.UnixConn
	memory   *shm.File // broadcast
	own      *shm.File // the one slot that is ours
	slot     int
	alone    bool // nobody whom the producer does not trust
	patience time.Duration
	handles  atomic.Int32
	deaths   listeners
	answer   chan struct{} // the producer has counted us
	dead     chan struct{} // closed at the end of the connection

	mu    sync.Mutex
	taken bool // a consumer has had the slot
}

// listen waits for the end of the connection.
func (b *dialedBacking) listen() {
	var said [1]byte
	for {
		n, err := bare{b.conn}.Read(said[:])
		if n == 0 || err != nil {
			break
		}
		if said[0] == sayJoined {
			select {
			case b.answer <- struct{}{}:
			default:
			}
		}
	}
	close(b.dead)
	b.deaths.call()
}

func (b *dialedBacking) name() string  { return b.path }
func (b *dialedBacking) oneUser() bool { return b.alone }

func (b *dialedBacking) broadcast(a shm.Access) (region, error) { return b.memory.Map(a) }

func (b *dialedBacking) slots(a shm.Access) (region, error) {
	p, err := newPlaces(b.geo, a, func(*places) {})
	if err != nil {
		return nil, err
	}
	if err := p.lay(b.slot, b.own); err != nil {
		return nil, errors.Join(err, p.Unmap())
	}
	return p, nil
}

func (b *dialedBacking) lockProducer() (func() error, error) {
	return nil, fmt.Errorf("%w: its producer serves it at %s", ErrProducerLive, b.path)
}

func (b *dialedBacking) producerLives() (bool, error) {
	select {
	case <-b.dead:
		return false, nil
	default:
		return true, nil
	}
}

// lockSlot gives out the one slot, once: a slot has one owner in its life.
func (b *dialedBacking) lockSlot(i int) (func() error, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i != b.slot || b.taken {
		return nil, errSlotTaken
	}
	b.taken = true
	return func() error { return nil }, nil
}

func (b *dialedBacking) slotLives(i int) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return i != b.slot || b.taken, nil
}

func (b *dialedBacking) terms(int, uint64) terms { return terms{patience: b.patience} }

func (b *dialedBacking) watchProducer(fn func()) func() { return b.deaths.add(fn) }
func (b *dialedBacking) watchSlots(func()) func()       { return func() {} }

// current: what comes after this connection is another ring.
func (b *dialedBacking) current() error {
	if alive, _ := b.producerLives(); !alive {
		return fmt.Errorf("%w: the connection to %s has ended", ErrRemoved, b.path)
	}
	return nil
}

// joined has the producer count this consumer. The answer comes when it has.
func (b *dialedBacking) joined(segment) error {
	_, err := b.conn.Write([]byte{sayJoin})
	if err == nil {
		select {
		case <-b.answer:
			return nil
		case <-b.dead:
		case <-time.After(handshakeLimit):
			err = os.ErrDeadlineExceeded
		}
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w while joining: %w", ErrProducerDied, err)
}

func (b *dialedBacking) acquire() { b.handles.Add(1) }

func (b *dialedBacking) release() error {
	if b.handles.Add(-1) > 0 {
		return nil
	}
	hangUp(b.conn)
	return b.closeMemory()
}

func (b *dialedBacking) closeMemory() error {
	return errors.Join(b.memory.Close(), b.own.Close())
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

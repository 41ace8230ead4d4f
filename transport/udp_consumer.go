package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carousel-ipc/carousel/frame"
)

// udpConsumer reads one stream at a time. When datagrams of another come, the
// producer of the first has died, as far as anybody can tell, or has ended.
type udpConsumer struct {
	mu sync.Mutex
	reading
	closed atomic.Bool
	in     *datagramReceiver

	batch  [][]byte // received and not yet looked at
	stream uint64   // the number of the stream, 0: none yet
	past   []uint64 // those before it
	epoch  uint64   // how many there were
	next   uint64
	first  uint64  // with seq=N still to come: N
	loss   error   // to be told next
	late   *Record // came with a loss that has been told: it is next
	ended  bool
	died   bool
	held   *packet // of the next stream
}

// maxPast is how many streams are remembered whose stragglers are ignored.
const maxPast = 16

// newUdpConsumer binds the address and waits for the first datagram.
func newUdpConsumer(ctx context.Context, t target, cfg ConsumerConfig) (Consumer, error) {
	start := time.Now()
	conn, err := listenUDP(t.name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.url, err)
	}
	widenDatagrams(conn)
	in, err := newDatagramReceiver(conn)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", t.url, err), conn.Close())
	}
	c := &udpConsumer{reading: newReading(cfg), in: in}
	if n, ok := sequenceOf(cfg.From); ok {
		c.first = n
	}
	if err := c.waitStream(ctx); err != nil {
		return nil, errors.Join(nothingToRead(t, time.Since(start), err, errors.New("no datagram of a stream came")), c.in.close())
	}
	return c, nil
}

// sequenceOf is N of seq=N.
func sequenceOf(s Start) (n uint64, ok bool) {
	_, err := fmt.Sscanf(s.String(), "seq=%d", &n)
	return n, err == nil
}

func listenUDP(address string) (*net.UDPConn, error) {
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	if a.IP.IsMulticast() {
		return net.ListenMulticastUDP("udp", nil, a)
	}
	return net.ListenUDP("udp", a)
}

func (c *udpConsumer) TryNext() (Record, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.try()
}

func (c *udpConsumer) Next(ctx context.Context) (Record, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var rec Record
	err := c.wait(ctx, func() (err error) {
		rec, err = c.try()
		return err
	})
	return rec, err
}

// wait calls try, which does not wait, until it returns something else than
// ErrEmpty, or ctx ends.
func (c *udpConsumer) wait(ctx context.Context, try func() error) error {
	if err := try(); err != ErrEmpty {
		return err
	}
	stop := context.AfterFunc(ctx, c.in.ring)
	defer stop()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.in.arm()
		if err := try(); err != ErrEmpty {
			return err
		}
		batch, err := c.in.receive(true)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		c.batch = batch
	}
}

func (c *udpConsumer) try() (Record, error) {
	for {
		switch {
		case c.closed.Load():
			return Record{}, os.ErrClosed
		case c.loss != nil:
			err := c.loss
			c.loss = nil
			return Record{}, err
		case c.late != nil:
			rec := *c.late
			c.late = nil
			return rec, nil
		case c.ended:
			return Record{}, io.EOF
		case c.died:
			return Record{}, ErrProducerDied
		}
		b, err := c.datagram()
		if err != nil {
			return Record{}, err
		}
		rec, ok := c.accept(b)
		if !ok {
			continue
		}
		over, shown := c.arrived(rec)
		if over != nil {
			if shown {
				c.late = &rec
			}
			return Record{}, over
		}
		if shown {
			return rec, nil
		}
	}
}

// datagram is the next one, or ErrEmpty.
func (c *udpConsumer) datagram() ([]byte, error) {
	if len(c.batch) == 0 {
		batch, err := c.in.receive(false)
		if err != nil {
			return nil, err
		}
		c.batch = batch
	}
	b := c.batch[0]
	c.batch = c.batch[1:]
	return b, nil
}

// accept takes a datagram apart. What is none of a stream, or of an old one, is
// ignored: anybody may send anything to an address. A record that is not whole
// is one that did not come.
func (c *udpConsumer) accept(b []byte) (Record, bool) {
	p, err := openPacket(b)
	if err != nil || p.epoch == 0 || slices.Contains(c.past, p.epoch) {
		return Record{}, false
	}
	if c.stream != 0 && p.epoch != c.stream {
		c.held, c.died = &p, !c.ended
		return Record{}, false
	}
	rec, err := p.frame()
	if err != nil || len(p.rest) > 0 {
		return Record{}, false
	}
	if c.stream == 0 {
		c.adopt(p.epoch, rec.Sequence)
	}
	return rec, true
}

// adopt begins to read a stream where it was met.
func (c *udpConsumer) adopt(stream, seq uint64) {
	if c.stream != 0 {
		if len(c.past) == maxPast {
			c.past = c.past[1:]
		}
		c.past = append(c.past, c.stream)
	}
	c.stream, c.next = stream, seq
	if c.epoch == 0 && c.first > 0 && c.first < seq {
		c.next = c.first // what was missed counts
	}
	c.epoch++
}

// arrived counts a record, or the end: the loss that it shows, or nil, and
// whether it is to be returned.
func (c *udpConsumer) arrived(rec Record) (over error, shown bool) {
	if rec.Sequence > c.next {
		if from := max(c.next, c.first); from < rec.Sequence {
			lost := rec.Sequence - from
			c.lost += lost
			over = &OverrunError{Lost: lost, From: from, To: rec.Sequence - 1}
		}
		c.next = rec.Sequence
	}
	if rec.Flags()&frame.EOS != 0 {
		c.ended = c.ended || rec.Sequence >= c.next
		return over, false
	}
	if rec.Sequence == c.next { // else it is late, or here for the second time
		c.next++
	}
	if rec.Sequence < c.first {
		return over, false
	}
	c.received++
	return over, c.wanted(rec.Type())
}

// Release: records came whole or not at all.
func (c *udpConsumer) Release() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in.release(len(c.batch) > 0 || c.held != nil || c.late != nil)
	return nil
}

// WaitProducer waits for a datagram of another stream.
func (c *udpConsumer) WaitProducer(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waitStream(ctx)
}

func (c *udpConsumer) waitStream(ctx context.Context) error {
	return c.wait(ctx, func() error {
		for {
			if c.closed.Load() {
				return os.ErrClosed
			}
			if c.held != nil {
				p := *c.held
				c.held = nil
				rec, err := p.frame()
				if err == nil {
					c.ended, c.died = false, false
					c.adopt(p.epoch, rec.Sequence)
					return c.begin(rec)
				}
			}
			b, err := c.datagram()
			if err != nil {
				return err
			}
			if rec, ok := c.accept(b); ok && c.epoch == 1 && !c.ended && !c.died {
				return c.begin(rec) // the first one of all
			}
		}
	})
}

// begin keeps the first record of a stream for Next.
func (c *udpConsumer) begin(rec Record) error {
	over, shown := c.arrived(rec)
	c.loss = over
	if shown {
		c.late = &rec
	}
	return nil
}

func (c *udpConsumer) Sequence() uint64 {
	if c.late != nil {
		return c.late.Sequence
	}
	return max(c.next, c.first)
}

func (c *udpConsumer) Epoch() uint64        { return c.epoch }
func (c *udpConsumer) Stats() ConsumerStats { return c.stats(c.next) }

func (c *udpConsumer) Close() error {
	if c.closed.Swap(true) {
		return os.ErrClosed
	}
	c.in.ring()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.in.close()
}

var _ Consumer = (*udpConsumer)(nil)

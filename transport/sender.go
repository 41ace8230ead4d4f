package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/ring"
)

// A sender keeps the place of one consumer elsewhere on the ring of a cast, and
// writes the ring's bytes to it. A reliable consumer gates while the kernel
// reads, so they go from where they lie; for any other they are copied first,
// and sent only if the copy was whole.
type sender struct {
	cast *cast
	out  conn
	how  sending

	mu       sync.Mutex // of the ring's consumer, which the reader of acks uses too
	place    *ring.Consumer
	policy   Policy
	flight   []ring.Run // sent, or being sent, and not acknowledged
	position uint64     // bytes of frames before flight[0]
	over     bool       // everything has been sent, the end too
	settled  chan struct{}
	sent     atomic.Uint64

	// role is held by whoever sends: the sender's goroutine, except while it
	// waits for its bell, or a commit that found it there (offer.go), which
	// leaves in rest what the other end has no room for.
	role sync.Mutex
	rest []byte
	till ring.Point // behind rest
	raw  syscall.RawConn

	splicer *splicer // nil: not yet, or not here (put.go)

	copied []byte
	asleep atomic.Bool
	bell   chan struct{}
	quit   chan struct{} // the other end has gone
	once   sync.Once
	heard  chan struct{} // closed when nothing more will be heard of the other end
	done   chan struct{} // closed when the sender has ended
}

// sending is what differs between streams.
type sending struct {
	acks    bool // the consumer says what it has released
	most    int  // bytes of one write at most, 0: what the ring gives
	offers  bool // a commit may send: see offer.go
	lingers bool // what is said to a closed connection destroys what it still holds
	splices bool // the kernel may refer to what is sent, and the consumer says when it has read it
}

// runBytes is about how much is sent at once: a good write, and not so much of
// the ring that the producer has to wait for it.
func (s *sender) runBytes() int {
	most := max(min(256<<10, s.cast.ring.Capacity()/8), 4<<10)
	if s.how.most > 0 {
		most = min(most, s.how.most)
	}
	return most
}

func newSender(p *cast, out conn, place *ring.Consumer, how sending) (*sender, error) {
	widen(out)
	raw, err := out.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &sender{
		cast: p, raw: raw, out: out, how: how, place: place, policy: place.Policy(),
		bell: make(chan struct{}, 1), quit: make(chan struct{}), heard: make(chan struct{}), done: make(chan struct{}), settled: make(chan struct{}),
	}
	s.role.Lock() // until it sleeps for the first time
	return s, nil
}

// run sends until the stream ends or the other end is gone; the error says
// which, nil for a clean end. The preamble comes first.
func (s *sender) run() {
	defer close(s.done)
	if s.how.acks {
		go s.hear()
	} else {
		close(s.heard)
	}
	err := s.send()
	s.gone()
	s.unsplice()
	_ = s.place.Close()
	_ = s.out.Close()
	s.cast.left(s, err)
}

func (s *sender) send() error {
	preamble := frame.Preamble{Epoch: s.cast.Epoch(), First: s.sequence()}
	if err := s.write(preamble.Append(nil)); err != nil {
		return err
	}
	most := s.runBytes()
	for {
		b, to, err := s.next(most)
		switch {
		case err == nil:
			err = s.write(b)
		case err == io.EOF:
			return s.end()
		case errors.Is(err, ErrOverrun):
			continue // the sequence of the next record tells
		}
		if evicted, ok := errors.AsType[*EvictedError](err); ok {
			return s.evicted(evicted)
		}
		if err != nil {
			return err
		}
		if err := s.delivered(to); err != nil {
			return err
		}
	}
}

// delivered releases what was sent, if nothing is heard of that.
func (s *sender) delivered(to ring.Point) error {
	if s.policy != Reliable || s.how.acks {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.cast.room.given()
	return s.place.ReleaseTo(to)
}

// next is the next stretch of frames, when there is one.
func (s *sender) next(most int) (b []byte, to ring.Point, err error) {
	for {
		b, to, err = s.look(most)
		if !errors.Is(err, ErrEmpty) {
			return b, to, err
		}
		if !s.asleep.Swap(true) {
			continue // a commit before this rang nobody: look again
		}
		s.role.Unlock()
		select {
		case <-s.bell:
			s.role.Lock()
		case <-s.quit:
			s.role.Lock()
			return nil, ring.Point{}, ErrConsumerGone
		}
		if b, s.rest = s.rest, nil; len(b) > 0 {
			return b, s.till, nil
		}
	}
}

func (s *sender) look(most int) ([]byte, ring.Point, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	run, err := s.place.TryRun(most)
	if err != nil {
		return nil, ring.Point{}, err
	}
	b := run.Bytes
	switch s.policy {
	case Reliable:
	case Lossy:
		s.copied = run.Append(s.copied[:0])
		b, err = s.copied, s.place.Release()
	default:
		s.copied = run.Append(s.copied[:0])
		b, err = s.copied, s.place.Whole()
	}
	if err == nil && s.how.acks && s.policy.Gates() {
		s.flight = append(s.flight, run)
	}
	return b, run.To, err
}

func (s *sender) wake() {
	if s.asleep.Load() && s.asleep.CompareAndSwap(true, false) {
		select {
		case s.bell <- struct{}{}:
		default:
		}
	}
}

// write writes all of b. Its error is ErrConsumerGone.
func (s *sender) write(b []byte) error {
	if _, err := s.put(b, true); err != nil {
		return fmt.Errorf("%w: %w", ErrConsumerGone, err)
	}
	return nil
}

// sequence is that of the record that would be sent next.
func (s *sender) sequence() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.place.Sequence()
}

// evicted tells the consumer why nothing more comes.
func (s *sender) evicted(e *EvictedError) error {
	if err := s.write(evictionNotice(s.sequence(), e)); err != nil {
		return err
	}
	hangUp(s.out)
	wait(s.heard, closePatience)
	return e
}

// end tells the consumer that the stream has ended. The kernel delivers what it
// was given also after the connection is closed, but over TCP only if nothing
// arrives there any more: so this waits for acknowledgements that are due, if
// that is the medium, but not for a consumer that has released everything.
func (s *sender) end() error {
	eos := frame.NewRecord(s.sequence(), 0, frame.EOS, binary.LittleEndian.AppendUint64(nil, s.cast.Epoch()))
	if err := s.write(frame.Append(nil, eos)); err != nil {
		return err
	}
	hangUp(s.out)
	s.mu.Lock()
	s.over = true
	if !s.how.lingers {
		s.flight = nil
	}
	s.settle()
	s.mu.Unlock()
	select {
	case <-s.settled:
	case <-s.heard:
	}
	return nil
}

// settle tells end that no acknowledgement is due any more. mu is held.
func (s *sender) settle() {
	if s.over && len(s.flight) == 0 {
		select {
		case <-s.settled:
		default:
			close(s.settled)
		}
	}
}

// hear reads acknowledgements until the other end has gone.
func (s *sender) hear() {
	defer close(s.heard)
	defer s.out.Close() // it may be in the middle of a write
	defer s.gone()
	var buf [ackSize]byte
	for {
		a, err := readAck(s.out, &buf)
		if err != nil {
			return
		}
		switch err := s.acknowledged(a); {
		case errors.Is(err, ErrEvicted):
			s.wake() // it is for the sender to tell
		case err != nil:
			return
		}
	}
}

// abandon ends a sender that never ran.
func (s *sender) abandon(err error) {
	_ = s.place.Close()
	s.cast.left(s, err)
	close(s.done)
}

func (s *sender) gone() { s.once.Do(func() { close(s.quit) }) }

// acknowledged releases what the consumer has released. One that speaks of
// what it was not sent is not believed any more.
func (s *sender) acknowledged(a ack) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.settle()
	defer s.cast.room.given()
	for len(s.flight) > 0 {
		run := &s.flight[0]
		size := run.To.Position - run.From.Position
		if a.bytes < s.position {
			return fmt.Errorf("%w: acknowledgement of %d bytes, want at least %d", ErrCorrupt, a.bytes, s.position)
		}
		if a.bytes-s.position < size {
			return s.place.ReleaseTo(ring.Point{Sequence: a.sequence, Position: run.From.Position + a.bytes - s.position})
		}
		if err := s.place.ReleaseTo(run.To); err != nil {
			return err
		}
		s.position += size
		if s.flight = s.flight[1:]; a.bytes == s.position {
			return nil
		}
	}
	if a.bytes != s.position {
		return fmt.Errorf("%w: acknowledgement of %d bytes, want at most %d", ErrCorrupt, a.bytes, s.position)
	}
	return nil
}

// finish waits until the sender has ended, as long as it makes progress within
// patience.
func (s *sender) finish(patience time.Duration) {
	for last := uint64(0); ; {
		if wait(s.done, patience) {
			return
		}
		now := s.sent.Load()
		if now == last {
			break
		}
		last = now
	}
	_ = s.out.Close()
	<-s.done
}

// wait waits for what, at most limit.
func wait(what <-chan struct{}, limit time.Duration) bool {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-what:
		return true
	case <-t.C:
		return false
	}
}

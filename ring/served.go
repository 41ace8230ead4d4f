package ring

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/carousel-ipc/carousel/shm"
)

// servedBacking is a ring in sealed memory, as the process has it that made it
// and hands it out. Whether a consumer lives is whether its connection does.
type servedBacking struct {
	path     string
	geo      geometry
	id       creationID
	cfg      ServeConfig
	listener *net.UnixListener // nil: only who is invited comes
	unname   func() error      // takes the socket's name away
	handles  atomic.Int32
	memory   *shm.File // the broadcast segment
	first    region    // its one mapping for writing, until the producer has it
	deaths   listeners
	desk     desk

	viewMu sync.Mutex
	view   attachment // to look at; not counted among the handles

	mu       sync.Mutex
	producer producerState
	seats    []seat
	next     int       // where to look for a free seat first
	mapped   []*places // every mapping of the slots in this process
	conns    map[*net.UnixConn]struct{}
	stopped  bool
}

type producerState int

const (
	producerToCome producerState = iota
	producerHere
	producerGone
)

// seat is one slot: who sits in it, on what terms, and its memory.
type seat struct {
	taken, alive bool
	user         uint32
	terms        terms
	generation   uint64 // that its consumer has
	memory       *shm.File
}

func (b *servedBacking) name() string { return b.path }

func (b *servedBacking) oneUser() bool { return !b.cfg.strangers() }

// termsFor are the terms that consumers of a user come on.
func (b *servedBacking) termsFor(user uint32) terms {
	if user == uint32(os.Geteuid()) && !b.cfg.Distrust {
		return trusted
	}
	return terms{stranger: true, patience: b.cfg.Patience}
}

// broadcast gives out the one mapping that could be made for writing, which is
// older than the seals.
func (b *servedBacking) broadcast(a shm.Access) (region, error) {
	if a == shm.ReadOnly {
		return b.memory.Map(a)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.first
	b.first = nil
	if r == nil {
		return nil, errOneProducer
	}
	return r, nil
}

var errOneProducer = fmt.Errorf("%w: a served ring has one producer in its life: serve another", ErrRemoved)

func (b *servedBacking) slots(a shm.Access) (region, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := newPlaces(b.geo, a, b.forget)
	if err != nil {
		return nil, err
	}
	for i, s := range b.seats {
		if s.memory == nil {
			continue
		}
		if err := p.lay(i, s.memory); err != nil {
			return nil, errors.Join(err, p.Region.Unmap())
		}
	}
	b.mapped = append(b.mapped, p)
	return p, nil
}

func (b *servedBacking) forget(p *places) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mapped = slices.DeleteFunc(b.mapped, func(q *places) bool { return q == p })
}

func (b *servedBacking) lockProducer() (func() error, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.producer {
	case producerHere:
		return nil, ErrProducerLive
	case producerGone:
		return nil, errOneProducer
	}
	b.producer = producerHere
	return b.unlockProducer, nil
}

// unlockProducer ends the ring: consumers finish from their mappings.
func (b *servedBacking) unlockProducer() error {
	b.mu.Lock()
	b.producer = producerGone
	b.mu.Unlock()
	return b.stop()
}

func (b *servedBacking) producerLives() (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.producer == producerHere, nil
}

func (b *servedBacking) lockSlot(int) (func() error, error) {
	return nil, fmt.Errorf("%w: consumers of a served ring dial it, those of its own process too", errors.ErrUnsupported)
}

func (b *servedBacking) slotLives(i int) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seats[i].alive, nil
}

// terms are for the one generation that a seat's consumer may have. Whoever
// takes another, or goes on writing to what was his after he left, is not
// waited for. Generation 0 is that of nobody yet.
func (b *servedBacking) terms(i int, generation uint64) terms {
	b.mu.Lock()
	defer b.mu.Unlock()
	if generation == 0 {
		return trusted
	}
	if s := &b.seats[i]; s.taken && generation == s.generation {
		return s.terms
	}
	return terms{stranger: true}
}

func (b *servedBacking) watchProducer(func()) func() { return func() {} }
func (b *servedBacking) watchSlots(fn func()) func() { return b.deaths.add(fn) }
func (b *servedBacking) acquire()                    { b.handles.Add(1) }
func (b *servedBacking) joined(segment) error        { return errors.ErrUnsupported }
func (b *servedBacking) current() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.producer == producerGone || b.stopped {
		return errOneProducer
	}
	return nil
}

func (b *servedBacking) release() error {
	if b.handles.Add(-1) > 0 {
		return nil
	}
	return b.stop()
}

// stop ends the serving: the socket's name goes, connections and descriptors
// are closed.
func (b *servedBacking) stop() error {
	b.mu.Lock()
	if b.stopped {
		b.mu.Unlock()
		return nil
	}
	b.stopped = true
	first := b.first
	b.first = nil
	for c := range b.conns {
		hangUp(c)
	}
	b.mu.Unlock()
	errs := []error{b.unname(), closeListener(b.listener), b.memory.Close()}
	if first != nil {
		errs = append(errs, first.Unmap())
	}
	b.viewMu.Lock()
	defer b.viewMu.Unlock()
	return errors.Join(append(errs, b.view.unmap())...)
}

// sit gives a newcomer a slot with memory of its own, which is in the
// producer's sight before the newcomer has it.
func (b *servedBacking) sit(user uint32) (slot int, memory *shm.File, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return 0, nil, errOneProducer
	}
	t := b.termsFor(user)
	if has, most := b.seatsOf(user), b.cfg.perUser(len(b.seats)); t.stranger && has >= most {
		return 0, nil, fmt.Errorf("%w: user id %d has %d, want fewer than %d", ErrNoSlot, user, has, most)
	}
	slot = -1
	for i := range b.seats {
		if at := (b.next + i) % len(b.seats); !b.seats[at].taken {
			slot = at
			break
		}
	}
	if slot < 0 {
		return 0, nil, fmt.Errorf("%w: all %d are taken", ErrNoSlot, len(b.seats))
	}
	memory, generation, err := makePlace(slot)
	if err != nil {
		return 0, nil, err
	}
	for _, p := range b.mapped {
		if err := p.lay(slot, memory); err != nil {
			return 0, nil, errors.Join(err, memory.Close())
		}
	}
	b.next = slot + 1
	b.seats[slot] = seat{taken: true, alive: true, user: user, terms: t, generation: generation, memory: memory}
	return slot, memory, nil
}

func (b *servedBacking) seatsOf(user uint32) (n int) {
	for _, s := range b.seats {
		if s.taken && s.user == user {
			n++
		}
	}
	return n
}

// makePlace makes the memory of a slot. Its generation begins at a number that
// nobody can foresee: one who had the slot before may have told the producer
// any generation as his own, to be ignored from then on.
func makePlace(slot int) (memory *shm.File, generation uint64, err error) {
	f, err := shm.CreateMemfd("carousel-slot", page)
	if err != nil {
		return nil, 0, err
	}
	id := newID()
	before := 1<<62 | binary.LittleEndian.Uint64(id[:])>>2
	err = fill(f, func(s segment) {
		s = s.at(slotInPage(slot))
		store64(s.w64(slotGeneration), before)
		store64(s.w64(slotCursor), left)
	})
	if err == nil {
		err = f.Seal(shm.SealedForWriters)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, before + 1, nil
}

// rise takes a slot back from a consumer whose connection has ended. Only when
// the producer has been told may another sit there: it may be asleep on a word
// of that memory.
func (b *servedBacking) rise(slot int) {
	b.mu.Lock()
	memory := b.seats[slot].memory
	b.seats[slot].alive, b.seats[slot].memory = false, nil
	b.mu.Unlock()
	b.deaths.call()
	b.mu.Lock()
	b.seats[slot] = seat{}
	b.mu.Unlock()
	_ = memory.Close()
}

// countJoined lets the producer know of a consumer that has stored its cursor
// and its generation. The message that said so, and this fence, stand between
// those stores and the consumer's look at the horizon.
func (b *servedBacking) countJoined() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.mapped {
		_ = countJoin(segmentOf(p.Bytes()))
	}
}

// statistics is Stats as JSON. What consumers wrote has to pass as a policy.
func (b *servedBacking) statistics() (string, error) {
	b.viewMu.Lock()
	defer b.viewMu.Unlock()
	if b.view.regions == nil {
		return "", errOneProducer
	}
	s, err := b.view.stats(b.path)
	if err != nil {
		return "", err
	}
	for i := range s.Consumers {
		if p := &s.Consumers[i].Policy; p.check() != nil {
			*p = Deadline(1)
		}
	}
	text, err := json.Marshal(s)
	return string(text), err
}

// greet and part keep the list of connections, all of which stop closes.
func (b *servedBacking) greet(c *net.UnixConn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		hangUp(c)
		return false
	}
	b.conns[c] = struct{}{}
	return true
}

func (b *servedBacking) part(c *net.UnixConn) {
	b.mu.Lock()
	delete(b.conns, c)
	b.mu.Unlock()
	_ = c.Close() // holds up nobody else
}

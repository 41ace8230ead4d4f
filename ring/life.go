package ring

import (
	"fmt"
	"sync"

	"github.com/carousel-ipc/carousel/shm"
)

// A backing is where a ring lives: it maps the two segments and proves who is
// alive. The engine knows nothing else of files.
type backing interface {
	name() string
	// broadcast maps the producer's segment; slots the consumers'.
	broadcast(a shm.Access) (region, error)
	slots(a shm.Access) (region, error)

	// lockProducer makes the caller the one producer until unlock; ErrProducerLive.
	lockProducer() (unlock func() error, err error)
	producerLives() (bool, error)
	// lockSlot takes slot i; errSlotTaken.
	lockSlot(i int) (unlock func() error, err error)
	slotLives(i int) (bool, error)
	// terms are what the consumer in slot i, of that generation, was admitted on.
	terms(i int, generation uint64) terms
	// watchProducer and watchSlots call fn when a lock may have been dropped.
	watchProducer(fn func()) (stop func())
	watchSlots(fn func()) (stop func())
	// current is nil while the name stands for this ring; ErrRemoved.
	current() error
	// joined counts a consumer that has stored its cursor and generation in
	// slots, so that a producer's next look at joins finds it.
	joined(slots segment) error
	// oneUser tells whether all who may be on the ring are of one user. Only
	// then are processes registered for membarriers that any user can send.
	oneUser() bool

	// acquire and release count the handles; the last release closes.
	acquire()
	release() error
}

// region is mapped memory: *shm.Region, or memory that the caller brought.
type region interface {
	Bytes() []byte
	Blank() error
	Unmap() error
	Sync() error
	Prefault() error
	Lock() error
}

// borrowed is memory that the caller of Format brought and keeps.
type borrowed []byte

func (b borrowed) Bytes() []byte { return b }
func (b borrowed) Blank() error  { return nil }
func (b borrowed) Unmap() error  { return nil }
func (b borrowed) Sync() error   { return nil }

func (b borrowed) Prefault() error { return nil }
func (b borrowed) Lock() error     { return nil }

// memoryBacking is a ring on a []byte: handles of one process, alive until
// they are closed.
type memoryBacking struct {
	mem  []byte
	geo  geometry
	key  memoryKey
	life *memoryLife
}

// memoryLife is shared by all attachments of the same bytes.
type memoryLife struct {
	mu       sync.Mutex
	refs     int
	producer bool
	slot     []bool
	watch    listeners
}

var memoryLives = struct {
	sync.Mutex
	m map[memoryKey]*memoryLife
}{m: map[memoryKey]*memoryLife{}}

// memoryKey tells a ring from one that had the same memory before and whose
// handles were never closed.
type memoryKey struct {
	address  uintptr
	creation creationID
}

func newMemoryBacking(mem []byte, geo geometry) *memoryBacking {
	memoryLives.Lock()
	defer memoryLives.Unlock()
	key := memoryKey{address(mem), creationOf(mem)}
	l := memoryLives.m[key]
	if l == nil {
		l = &memoryLife{slot: make([]bool, geo.slots)}
		memoryLives.m[key] = l
	}
	l.refs++
	return &memoryBacking{mem: mem, geo: geo, key: key, life: l}
}

func (b *memoryBacking) acquire() {
	memoryLives.Lock()
	defer memoryLives.Unlock()
	b.life.refs++
}

func (b *memoryBacking) release() error {
	memoryLives.Lock()
	defer memoryLives.Unlock()
	if b.life.refs--; b.life.refs == 0 {
		delete(memoryLives.m, b.key)
	}
	return nil
}

func (b *memoryBacking) name() string { return "" }

func (b *memoryBacking) broadcast(shm.Access) (region, error) {
	return borrowed(b.mem[:b.geo.broadcastSize()]), nil
}

func (b *memoryBacking) slots(shm.Access) (region, error) {
	return borrowed(b.mem[b.geo.broadcastSize():]), nil
}

func (b *memoryBacking) lockProducer() (func() error, error) {
	return b.life.take(&b.life.producer, ErrProducerLive)
}

func (b *memoryBacking) lockSlot(i int) (func() error, error) {
	return b.life.take(&b.life.slot[i], errSlotTaken)
}

func (b *memoryBacking) producerLives() (bool, error) { return b.life.held(&b.life.producer), nil }
func (b *memoryBacking) slotLives(i int) (bool, error) {
	return b.life.held(&b.life.slot[i]), nil
}
func (b *memoryBacking) watchProducer(fn func()) func() { return b.life.watch.add(fn) }
func (b *memoryBacking) watchSlots(fn func()) func()    { return b.life.watch.add(fn) }
func (b *memoryBacking) terms(int, uint64) terms        { return trusted }
func (b *memoryBacking) current() error                 { return nil }
func (b *memoryBacking) joined(slots segment) error     { return countJoin(slots) }
func (b *memoryBacking) oneUser() bool                  { return true }

// countJoin is joined for slots that all consumers map.
func countJoin(slots segment) error {
	add64(slots.w64(offJoins), 1)
	return nil
}

func (l *memoryLife) take(who *bool, taken error) (func() error, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if *who {
		return nil, taken
	}
	*who = true
	return func() error { l.drop(who); return nil }, nil
}

func (l *memoryLife) held(who *bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *who
}

// drop is also how a test lets a handle die.
func (l *memoryLife) drop(who *bool) {
	l.mu.Lock()
	*who = false
	l.mu.Unlock()
	l.watch.call()
}

var errSlotTaken = fmt.Errorf("slot taken")

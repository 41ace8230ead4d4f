//go:build explore

package ring

import (
	"fmt"
	"slices"

	"github.com/carousel-ipc/carousel/shm"
)

// A stage is where a ring lives for a test that plays everything around it:
// memory, locks that it drops as a kill does, notices that it delivers when it
// likes, or never. The ring may be far smaller than a real one.
type stage struct {
	geo      geometry
	mem      []byte
	clean    []byte // mem of an empty ring
	producer bool   // the producer's lock is held
	slot     []bool

	onProducer, onSlots map[int]func()
	watches             int
	notices             []func() // not delivered yet
	deaf                bool     // nobody watches
}

func newStage(capacity uint64, slots int, checksum bool) *stage {
	s := &stage{geo: geometry{capacity: capacity, mask: capacity - 1, slots: slots, checksum: checksum}}
	s.geo.maxPayload = s.geo.largest(capacity / 2)
	s.mem = shm.Heap(int(s.geo.broadcastSize() + s.geo.slotsSize())).Bytes()
	formatSlots(segmentOf(s.mem[s.geo.broadcastSize():]), s.geo, creationID{})
	formatBroadcast(segmentOf(s.mem), s.geo, creationID{}, point{seq: 1})
	s.clean = slices.Clone(s.mem)
	s.slot = make([]bool, slots)
	s.reset()
	return s
}

// reset empties the ring. Handles made before must not be used any more.
func (s *stage) reset() {
	copy(s.mem, s.clean)
	s.producer, s.deaf, s.notices, s.watches = false, false, nil, 0
	clear(s.slot)
	s.onProducer, s.onSlots = map[int]func(){}, map[int]func(){}
}

// ring opens the ring on the stage, which has no header that Attach would read.
func (s *stage) ring() *Ring {
	r, err := open(s, s.geo)
	if err != nil {
		panic(err)
	}
	return r
}

// deliver tells everybody what has happened since.
func (s *stage) deliver() {
	for len(s.notices) > 0 {
		fn := s.notices[0]
		s.notices = s.notices[1:]
		fn()
	}
}

func (s *stage) name() string { return "" }
func (s *stage) broadcast(shm.Access) (region, error) {
	return borrowed(s.mem[:s.geo.broadcastSize()]), nil
}
func (s *stage) slots(shm.Access) (region, error) {
	return borrowed(s.mem[s.geo.broadcastSize():]), nil
}
func (s *stage) acquire()                       {}
func (s *stage) release() error                 { return nil }
func (s *stage) current() error                 { return nil }
func (s *stage) joined(slots segment) error     { return countJoin(slots) }
func (s *stage) oneUser() bool                  { return true }
func (s *stage) terms(int, uint64) terms        { return trusted }
func (s *stage) producerLives() (bool, error)   { return s.producer, nil }
func (s *stage) slotLives(i int) (bool, error)  { return s.slot[i], nil }
func (s *stage) watchProducer(fn func()) func() { return s.watch(s.onProducer, fn) }
func (s *stage) watchSlots(fn func()) func()    { return s.watch(s.onSlots, fn) }

func (s *stage) watch(who map[int]func(), fn func()) (stop func()) {
	id := s.watches
	s.watches++
	who[id] = fn
	return func() { delete(who, id) }
}

func (s *stage) lockProducer() (func() error, error) {
	if s.producer {
		return nil, ErrProducerLive
	}
	s.producer = true
	return func() error { s.dropProducer(); return nil }, nil
}

func (s *stage) lockSlot(i int) (func() error, error) {
	if s.slot[i] {
		return nil, errSlotTaken
	}
	s.slot[i] = true
	return func() error { s.dropSlot(i); return nil }, nil
}

func (s *stage) dropProducer()  { s.producer = false; s.tell(s.onProducer) }
func (s *stage) dropSlot(i int) { s.slot[i] = false; s.tell(s.onSlots) }

func (s *stage) tell(who map[int]func()) {
	if s.deaf {
		return
	}
	for id := range s.watches { // in order, so that schedules repeat
		if who[id] != nil {
			s.notices = append(s.notices, func() {
				if fn := who[id]; fn != nil { // it may have stopped watching
					fn()
				}
			})
		}
	}
}

// A span of shared memory with a name.
type named struct {
	off   uint64
	bytes uint64
	name  string
}

// words names everything that layout.go has, statistics apart.
var words = []named{
	{offHorizon, 8, "horizon"},
	{offResume, 8, "resume[0].seq"}, {offResume + 8, 8, "resume[0].pos"}, {offResume + 16, 8, "resume[0].seq again"},
	{offResume + 24, 8, "resume[1].seq"}, {offResume + 32, 8, "resume[1].pos"}, {offResume + 40, 8, "resume[1].seq again"},
	{offState, 8, "state"}, {offEpoch, 8, "epoch"}, {offFenceMode, 4, "fence mode"},
	{offWakeAt, 8, "wakeAt"}, {offNeedAt, 8, "needAt"},
}

var slotWords = []named{
	{slotCursor, 8, "cursor"}, {slotGeneration, 8, "generation"}, {slotPolicy, 4, "policy"}, {slotExpedited, 4, "expedited"},
	{slotDeadline, 8, "deadline"}, {slotWaiting, 4, "waiting"}, {slotBell, 4, "bell"}, {slotNeedsFence, 4, "needs fence"},
}

// A chart knows every word of a stage: its name, and whether the protocol
// depends on it. What is only for people and statistics has no name.
type chart struct {
	base  uintptr
	names []string // one for each four bytes

	// Which parts of a script load and store each word, one bit for each, as far
	// as seen; and which words were disputed when that was last asked. Only
	// there can the order of accesses make a difference.
	loads, stores []uint32
	disputed      []bool
}

func (s *stage) chart() *chart {
	n := len(s.mem) / 4
	c := &chart{base: address(s.mem), names: make([]string, n), loads: make([]uint32, n), stores: make([]uint32, n), disputed: make([]bool, n)}
	put := func(off, n uint64, name string) {
		for i := uint64(0); i < n; i += 4 {
			c.names[(off+i)/4] = name
		}
	}
	for _, w := range words {
		put(w.off, w.bytes, w.name)
	}
	for i := range uint64(checkpoints) {
		for j, part := range []string{"seq", "pos", "seq again"} {
			put(checkpointAt(i)+uint64(j)*8, 8, fmt.Sprintf("checkpoint[%d].%s", i, part))
		}
	}
	for i := range s.geo.slots {
		put(evictedAt(i), 8, fmt.Sprintf("evicted[%d].at", i))
		put(evictedAt(i)+8, 8, fmt.Sprintf("evicted[%d].generation", i))
		for _, w := range slotWords {
			put(s.geo.broadcastSize()+slotAt(i)+w.off, w.bytes, fmt.Sprintf("slot %d %s", i, w.name))
		}
	}
	put(s.geo.broadcastSize()+offJoins, 8, "joins")
	for off := uint64(0); off < s.geo.capacity; off += 16 {
		put(s.geo.ringStart()+off, 8, fmt.Sprintf("commit word at %d", off))
		put(s.geo.ringStart()+off+8, 8, fmt.Sprintf("length at %d", off))
	}
	return c
}

// index of a word; false for one that is not on the stage.
func (c *chart) index(p *uint32) (i uintptr, ok bool) {
	i = (place(p) - c.base) / 4
	return i, p != nil && i < uintptr(len(c.names))
}

// name of a word; "" for one that the protocol does not depend on.
func (c *chart) name(p *uint32) string {
	if i, ok := c.index(p); ok {
		return c.names[i]
	}
	return ""
}

// settle takes note of what is disputed by now. false: nothing is new.
func (c *chart) settle() (more bool) {
	for i, stores := range c.stores {
		if both := c.loads[i] | stores; !c.disputed[i] && c.names[i] != "" && stores != 0 && both&(both-1) != 0 {
			c.disputed[i], more = true, true
		}
	}
	return more
}

// all disputes every word that the protocol depends on.
func (c *chart) all() {
	for i, name := range c.names {
		c.disputed[i] = name != ""
	}
}

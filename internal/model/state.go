package model

// Sizes of the model. A unit stands for the sixteen bytes of a frame's header:
// its first word is a commit word or payload, its second the meta word.
const (
	maxUnits   = 6
	maxPoints  = 6 // checkpoints
	maxSlots   = 2
	maxRecords = 12
	depth      = 14 // stores that a process may have pending
	usual      = 6  // when it takes a step, unless the config says otherwise: a step may add as many
)

// Shared words.
const (
	aWord       = 0
	aMeta       = aWord + maxUnits
	aHorizon    = aMeta + maxUnits
	aResume     = aHorizon + 1
	aCheckpoint = aResume + 6
	aState      = aCheckpoint + 3*maxPoints
	aEpoch      = aState + 1
	aMode       = aEpoch + 1
	aWakeAt     = aMode + 1
	aNeedAt     = aWakeAt + 1
	aJoins      = aNeedAt + 1
	aEvicted    = aJoins + 1 // at, generation for each slot
	aSlots      = aEvicted + 2*maxSlots
	slotWords   = 6
	words       = aSlots + slotWords*maxSlots
)

// Words of a slot. The policy word has the policy in its low bits, and whether
// a membarrier reaches the consumer: a joiner stores both before its
// generation.
const (
	sCursor = iota
	sGeneration
	sPolicy
	sWaiting
	sBell
	sNeedsFence
)

func slotWord(slot, word uint8) uint8 { return aSlots + slot*slotWords + word }

// Policies.
const (
	reliable uint8 = iota
	deadline
	lossy
	policyMask = 3
	expedited  = 4
)

const (
	left   = 255 // a cursor: nobody is here
	noGate = 255

	modeProducer = 0
	modeSleeper  = 1

	stateOpen   = 1 // with the position above the low two bits
	stateClosed = 2
)

// Kinds of frames, in a meta word above the size.
const (
	kindRecord = 1 + iota
	kindPad
	kindEOS
)

func metaOf(kind, size uint8) uint8 { return kind<<4 | size }

// State is everything: shared words, pending stores, what each process keeps
// to itself, the kernel, and what the properties remember. It has no pointers
// and so is compared and hashed as it lies.
type State struct {
	mem [words]uint8
	buf [3]buffer
	p   producer
	c   [2]consumer
	w   world
}

// Processes: the producer is 0, consumer i is i + 1.
const producerID = 0

// gate is what the producer keeps of a consumer: generation 0 is none.
type gate struct {
	generation, policy, cursor uint8
}

func (g gate) gates() bool { return g.generation != 0 && g.policy&policyMask != lossy }

type point struct{ seq, pos uint8 }

type producer struct {
	pc pc
	op uint8 // next of the script

	pos, first, end, seq, limit, horizon uint8
	copy, epoch                          uint8
	unsaid                               bool // a mutant's mode is to be told
	fenced                               bool
	unregistered                         bool // no membarrier reaches it

	mark, marked uint8 // a record from mark on begins another part; staged ones that do
	marks        [2]point

	joins   uint8
	list    [maxSlots]gate
	ignored [maxSlots]uint8

	// What the steps in progress need.
	i, gate, value             uint8
	gone, changed              bool
	need, target               uint8
	look, wants                uint8
	afterRefresh, afterRouse   pc
	announced, closing, rushed bool
	deaths, alarm, late        bool
}

type consumer struct {
	pc         pc
	end        uint8 // how it ended
	slot       uint8
	generation uint8

	pos, seq, cursor, given uint8
	viewed                  uint8
	epoch                   uint8
	died                    bool
	announced               bool // joined

	// What the steps in progress need.
	i, part, meta, tag   uint8
	listens              bool // it has read its bell
	old, to              uint8
	horizon, bound       uint8
	words                [6]uint8
	last, at             uint8 // of a point that is being read
	seen                 uint8 // the epoch before a look
	back                 pc    // where a resync without loss goes on
	oldest, half, newest point
	place                point
	held                 point // a record that was viewed and is read before it is released
	same                 bool
	after                pc    // a move
	torn                 bool  // something viewed was not what was committed
	early, earlyAt       uint8 // word of a load that was satisfied early, + 1; its value

	received uint8
	since    uint8 // sequence that was next when the join began
}

// How consumers end.
const (
	_ uint8 = iota
	endEOF
	endDied
	endEvicted
	endLeft
	endKilled
	endCancelled
)

// world is the kernel and the ghost: what no process reads.
type world struct {
	alive     bool            // the producer's lock
	owner     [maxSlots]uint8 // of each slot's lock: process, 0 nobody
	asleep    [3]uint8        // what each process sleeps on: word + 1
	watching  [2]bool         // consumers that are told of the producer's death
	notice    [3]bool         // a death is about to be told to this process
	cancelled [2]uint8        // 1 the context has ended, 2 and the bell was rung
	idle      bool            // the producer has nothing more to do, and lives
	finished  bool            // the producer ended well

	kills, deaths, restarts, spurious, cancels uint8 // what may still happen
	version                                    uint8

	log     [maxRecords]record
	next    uint8  // committed: next sequence
	end     uint8  // and position
	closed  uint16 // bit n: a Close ended the stream before record n
	ended   bool   // the last producer did so
	pending [2]point
	turn    uint8           // which of pending the next commit takes
	evicted [maxSlots]uint8 // cursor at eviction
}

// record is what the producer staged under a sequence.
type record struct{ pos, size, version uint8 }

package transport

import (
	"errors"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/ring"
)

// The ring's vocabulary, so that whoever uses this package needs no other. Each
// is what package ring says of it.
type (
	// Record is one record as a consumer sees it.
	Record = frame.Record
	// Header is what a producer says of a record besides its payload.
	Header = ring.Header
	// Policy is what happens when a consumer falls a lap behind.
	Policy = ring.Policy
	// Start is the record that a consumer begins with.
	Start = ring.Start
	// Wait is how a producer or consumer waits.
	Wait = ring.Wait
	// Stats is a look at a medium without a role in it.
	Stats = ring.Stats
	// ProducerStats is the producer's part of Stats.
	ProducerStats = ring.ProducerStats
	// ConsumerStats is one attached consumer in Stats.
	ConsumerStats = ring.ConsumerStats
	// OverrunError tells a lossy consumer exactly what it missed; it goes on.
	OverrunError = ring.OverrunError
	// EvictedError tells a consumer that it is no longer waited for, and why.
	EvictedError = ring.EvictedError
	// LagError is what Drain returns when its context ends: who lags.
	LagError = ring.LagError
)

// Policies, starts and ways of waiting: see package ring.
var (
	Reliable = ring.Reliable
	Lossy    = ring.Lossy
	Deadline = ring.Deadline

	Latest   = ring.Latest
	Oldest   = ring.Oldest
	Sequence = ring.Sequence

	ParsePolicy = ring.ParsePolicy
	ParseStart  = ring.ParseStart
	ParseWait   = ring.ParseWait
)

// Guard makes errors of faults in a ring's memory: see package ring.
func Guard(fn func() error) error { return ring.Guard(fn) }

// Ways of waiting.
const (
	Adaptive = ring.Adaptive
	Spin     = ring.Spin
	Yield    = ring.Yield
	Block    = ring.Block
)

// Bounds of every medium that is a ring.
const (
	MinCapacity     = ring.MinCapacity
	MaxCapacity     = ring.MaxCapacity
	DefaultCapacity = ring.DefaultCapacity
	DefaultSlots    = ring.DefaultSlots
	MaxSlots        = ring.MaxSlots
	MaxName         = ring.MaxName
)

// Errors of package ring that users of this package meet.
var (
	ErrConfig       = ring.ErrConfig
	ErrFormat       = ring.ErrFormat
	ErrGeometry     = ring.ErrGeometry
	ErrProducerLive = ring.ErrProducerLive
	ErrNoSlot       = ring.ErrNoSlot
	ErrRemoved      = ring.ErrRemoved
	ErrRefused      = ring.ErrRefused
	ErrUnclean      = ring.ErrUnclean
	ErrUnsafeFile   = ring.ErrUnsafeFile
	ErrNoSpace      = ring.ErrNoSpace
	ErrLocked       = ring.ErrLocked
	ErrFull         = ring.ErrFull
	ErrEmpty        = ring.ErrEmpty
	ErrTooLarge     = ring.ErrTooLarge
	ErrBatchFull    = ring.ErrBatchFull
	ErrCorrupt      = ring.ErrCorrupt
	ErrTruncated    = ring.ErrTruncated
	ErrProducerDied = ring.ErrProducerDied
	ErrUnreleased   = ring.ErrUnreleased
	ErrOverrun      = ring.ErrOverrun
	ErrEvicted      = ring.ErrEvicted
	ErrBrokenChain  = ring.ErrBrokenChain
)

// Errors of this package.
var (
	// ErrURL: not a URL that this build can open. The text says what was
	// wanted and found.
	ErrURL = errors.New("transport: not a usable URL")
	// ErrNoProducer: the context of Open ended before there was anything to
	// read.
	ErrNoProducer = errors.New("transport: nothing to read")
	// ErrConsumerGone: the one consumer that this medium can have left, or died,
	// before the end of the stream.
	ErrConsumerGone = errors.New("transport: the consumer has gone")
)

package ring

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/carousel-ipc/carousel/frame"
)

// Bounds of a ring's geometry. The upper bound of the capacity keeps the low
// half of a cursor, which is what a waiting producer sleeps on, from coming
// round within one lap.
const (
	MinCapacity     = 4 << 10 // bytes
	MaxCapacity     = 1 << 31 // bytes; half of that where an int has 32 bits
	DefaultCapacity = 4 << 20 // bytes
	DefaultSlots    = 64
	MaxSlots        = 1024
	MaxName         = 48 // bytes of a consumer's name that the slot holds
)

// Config describes a ring to be made. The zero value is useful: 4 MiB, 64
// slots, records of up to a quarter of the ring, no checksums.
type Config struct {
	// Capacity of the ring in bytes: a power of two from MinCapacity to
	// MaxCapacity (half of that where an int has 32 bits). 0: DefaultCapacity.
	// When the ring exists already, 0 takes it as it is and any other value
	// must agree with it.
	Capacity int
	// MaxRecord is the largest payload of one record in bytes. 0: what makes a
	// frame of a quarter of the capacity. At most what makes a frame of half.
	MaxRecord int
	// Slots is how many consumers may be attached at once, 1 to MaxSlots.
	// 0: DefaultSlots.
	Slots int
	// Checksum puts a CRC32C on every frame; consumers verify it.
	Checksum bool
	// Prefault touches every page when the ring is made or opened, so that no
	// record pays for a page fault.
	Prefault bool
	// Lock keeps the pages in memory (mlock), within RLIMIT_MEMLOCK.
	Lock bool
	// Rendezvous is capacity zero in the words of the textbooks: each Commit of
	// a producer made from this Ring returns only when every consumer that
	// gates has released what it published, under the context of the Reserve
	// before it. Whatever it returns, the records are published; a *LagError
	// names who lags when the context ends. The ring itself has Capacity bytes.
	Rendezvous bool
	// Perm is the mode of a named ring's files. A named ring trusts its own
	// user and nobody else, so only owner bits are allowed. 0: 0o600.
	Perm fs.FileMode
}

// geometry is what Config fixes for the life of a ring. Every handle keeps a
// copy of its own and never looks at the shared header again: what a peer
// writes there later changes nothing.
type geometry struct {
	capacity   uint64 // bytes, a power of two
	mask       uint64 // capacity - 1
	maxPayload int
	slots      int
	checksum   bool
}

func (g geometry) flags() frame.Flags {
	if g.checksum {
		return frame.CRC
	}
	return 0
}

// sixteenth is the distance between two checkpoints.
func (g geometry) sixteenth() uint64 { return g.capacity / checkpoints }

func (c Config) geometry() (geometry, error) {
	if err := checkMachine(); err != nil {
		return geometry{}, err
	}
	g := geometry{capacity: uint64(c.Capacity), maxPayload: c.MaxRecord, slots: c.Slots, checksum: c.Checksum}
	if c.Capacity == 0 {
		g.capacity = DefaultCapacity
	}
	if c.Slots == 0 {
		g.slots = DefaultSlots
	}
	g.mask = g.capacity - 1
	if c.Capacity < 0 || g.capacity < MinCapacity || g.capacity > maxCapacityHere || g.capacity&g.mask != 0 {
		return g, fmt.Errorf("%w: capacity %d, want a power of two from %d to %d", ErrConfig, c.Capacity, MinCapacity, uint64(maxCapacityHere))
	}
	if g.slots < 1 || g.slots > MaxSlots {
		return g, fmt.Errorf("%w: %d slots, want 1 to %d", ErrConfig, c.Slots, MaxSlots)
	}
	if c.MaxRecord == 0 {
		g.maxPayload = g.largest(g.capacity / 4)
	}
	if most := g.largest(g.capacity / 2); g.maxPayload < 1 || g.maxPayload > most {
		return g, fmt.Errorf("%w: records of up to %d bytes, want 1 to %d (a frame takes at most half of the capacity of %d)", ErrConfig, c.MaxRecord, most, g.capacity)
	}
	if c.Perm&^0o700 != 0 {
		return g, fmt.Errorf("%w: mode %#o, want owner bits only (a named ring trusts its own user and nobody else)", ErrConfig, c.Perm)
	}
	return g, nil
}

// largest is the largest payload whose frame takes at most n bytes.
func (g geometry) largest(n uint64) int {
	p := int(n) - frame.HeaderSize
	for frame.Size(p, g.flags()) > int(n) {
		p -= 4
	}
	return p
}

// On a 32-bit machine a slice cannot be 2 GiB long.
const maxCapacityHere = MaxCapacity >> (1 - (^uint(0) >> 63))

// Policy says what a ring does when a consumer falls a whole lap behind.
// The zero value is Reliable.
type Policy struct {
	kind     policyKind
	deadline time.Duration
}

type policyKind uint8

const (
	kindReliable policyKind = iota
	kindDeadline
	kindLossy
)

// Reliable consumers gate the producer for as long as it takes: nothing is
// ever lost to them. Lossy consumers never gate it: whoever is lapped is told
// exactly which records it missed. That they never gate does not make them
// current: one that is slow may be up to a lap behind. Who wants the newest
// record only takes what is there (TryNext) until ErrEmpty, and uses the last.
var (
	Reliable = Policy{kind: kindReliable}
	Lossy    = Policy{kind: kindLossy}
)

// Deadline consumers gate the producer for at most d at a time and are
// evicted then. Measured from the moment the producer finds no credit because
// of this consumer; a cursor that moves far enough to give credit again
// starts it anew. d <= 0 is refused by NewConsumer.
func Deadline(d time.Duration) Policy { return Policy{kind: kindDeadline, deadline: d} }

// Gates tells whether consumers of this policy can make the producer wait.
func (p Policy) Gates() bool { return p.kind != kindLossy }

// Limit is how long one may gate the producer; 0 for ever (or never, when it does not gate).
func (p Policy) Limit() time.Duration { return p.deadline }

// String is the form that ParsePolicy reads: reliable, lossy or deadline=D.
func (p Policy) String() string {
	switch p.kind {
	case kindReliable:
		return "reliable"
	case kindLossy:
		return "lossy"
	default:
		return "deadline=" + p.deadline.String()
	}
}

// MarshalText makes a Policy usable with flag.TextVar and in JSON.
func (p Policy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what String writes.
func (p *Policy) UnmarshalText(b []byte) error {
	v, err := ParsePolicy(string(b))
	if err == nil {
		*p = v
	}
	return err
}

// ParsePolicy reads reliable, lossy or deadline=D with D a Go duration above 0.
func ParsePolicy(s string) (Policy, error) {
	switch s {
	case "reliable":
		return Reliable, nil
	case "lossy":
		return Lossy, nil
	}
	if v, ok := strings.CutPrefix(s, "deadline="); ok {
		if d, err := time.ParseDuration(v); err == nil && d > 0 {
			return Deadline(d), nil
		}
	}
	return Policy{}, fmt.Errorf("%w: policy %q, want reliable, lossy or deadline=D with D a duration such as 200ms", ErrConfig, s)
}

func (p Policy) check() error {
	if p.kind > kindLossy || (p.kind == kindDeadline) != (p.deadline > 0) {
		return fmt.Errorf("%w: policy %v, want Reliable, Lossy or Deadline of more than 0", ErrConfig, p)
	}
	return nil
}

// Start says at which record a consumer begins. The zero value is Latest.
type Start struct {
	kind startKind
	seq  uint64
}

type startKind uint8

const (
	startLatest startKind = iota
	startOldest
	startSequence
)

// Latest begins with the first record committed after the consumer joined;
// Oldest with the oldest that the ring still keeps.
var (
	Latest = Start{kind: startLatest}
	Oldest = Start{kind: startOldest}
)

// Sequence begins with record n. If the ring does not keep it any more, the
// first Next returns an *OverrunError with the exact number missed and the
// consumer goes on at the oldest kept; if it is still to come, the records
// before it are skipped without being counted. A ring that was removed and
// made anew numbers from 1: whoever remembers a sequence across restarts
// remembers Stats.ID with it, and begins with Oldest where that has changed.
func Sequence(n uint64) Start { return Start{kind: startSequence, seq: max(n, 1)} }

// String is the form that ParseStart reads: latest, oldest or seq=N.
func (s Start) String() string {
	switch s.kind {
	case startLatest:
		return "latest"
	case startOldest:
		return "oldest"
	default:
		return "seq=" + strconv.FormatUint(s.seq, 10)
	}
}

// Kept tells whether the start lies in what a ring kept (oldest, seq=N), so
// that a ring whose producer has gone is worth reading.
func (s Start) Kept() bool { return s.kind != startLatest }

// Number is the record that Sequence named; false for Latest and Oldest.
func (s Start) Number() (uint64, bool) { return s.seq, s.kind == startSequence }

// MarshalText makes a Start usable with flag.TextVar and in JSON.
func (s Start) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what String writes.
func (s *Start) UnmarshalText(b []byte) error {
	v, err := ParseStart(string(b))
	if err == nil {
		*s = v
	}
	return err
}

// ParseStart reads latest, oldest or seq=N with N from 1.
func ParseStart(text string) (Start, error) {
	switch text {
	case "latest":
		return Latest, nil
	case "oldest":
		return Oldest, nil
	}
	if v, ok := strings.CutPrefix(text, "seq="); ok {
		if n, err := strconv.ParseUint(v, 10, 64); err == nil && n > 0 {
			return Sequence(n), nil
		}
	}
	return Start{}, fmt.Errorf("%w: start %q, want latest, oldest or seq=N with N from 1", ErrConfig, text)
}

// Wait is how a handle waits. The zero value is Adaptive.
type Wait uint8

const (
	// Adaptive spins while records come densely and a CPU is to spare, gives
	// up its turn a few times, then sleeps in the kernel.
	Adaptive Wait = iota
	// Spin never sleeps: lowest latency, one CPU burnt.
	Spin
	// Yield gives up its turn between looks and never sleeps.
	Yield
	// Block sleeps at once.
	Block
)

var waitNames = [...]string{Adaptive: "adaptive", Spin: "spin", Yield: "yield", Block: "block"}

// String is the form that ParseWait reads.
func (w Wait) String() string {
	if int(w) < len(waitNames) {
		return waitNames[w]
	}
	return "wait(" + strconv.Itoa(int(w)) + ")"
}

// MarshalText makes a Wait usable with flag.TextVar and in JSON.
func (w Wait) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads what String writes.
func (w *Wait) UnmarshalText(b []byte) error {
	v, err := ParseWait(string(b))
	if err == nil {
		*w = v
	}
	return err
}

// ParseWait reads adaptive, spin, yield or block.
func ParseWait(s string) (Wait, error) {
	for i, name := range waitNames {
		if s == name {
			return Wait(i), nil
		}
	}
	return 0, fmt.Errorf("%w: wait %q, want spin, yield, block or adaptive", ErrConfig, s)
}

// ProducerConfig says how a producer behaves. The zero value is useful.
type ProducerConfig struct {
	// Wait is how the producer waits for credit.
	Wait Wait
	// Label is shown to whoever is refused because this producer lives, beside
	// its pid. "": the name of the program.
	Label string
}

// ConsumerConfig says who a consumer is. The zero value is a reliable,
// adaptive consumer that begins with the next record.
type ConsumerConfig struct {
	// Name is for people: statistics and eviction notices show it. At most
	// MaxName bytes of valid UTF-8. "": the name of the program and its pid.
	Name string
	// Policy decides what happens when it falls a lap behind.
	Policy Policy
	// From is the record it begins with.
	From Start
	// Wait is how it waits for records.
	Wait Wait
	// Types, when not empty, are the record types that it is shown; all others
	// are skipped without a look at their payload and count as received.
	Types []uint16
}

var errName = errors.New("want at most 48 bytes of valid UTF-8 without control characters")

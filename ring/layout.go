package ring

// The layout of a ring, all of it. Every offset of a shared word stands here
// and nowhere else; docs/format.md shows them, and document_test.go freezes
// what it shows.
//
// Numbers are little-endian. A "line" is 128 bytes whatever the machine's
// cache line is: the format must not depend on the processor, and neighbouring
// 64-byte lines are fetched in pairs. A "page" is 4096 bytes of the format.
//
//	broadcast segment: written by the producer alone, read by everybody
//	+--------+------------------+-----------------------+----------------------+
//	| header | producer's words | evicted[slots]        | ring                 |
//	| page 0 | page 1           | page 2 …              | capacity bytes       |
//	+--------+------------------+-----------------------+----------------------+
//
//	slot segment: page 0 its header, then a page for each consumer
//	+--------+--------+--------+--------+
//	| header | slot 0 | slot 1 | …      |   slot i: written by the consumer that owns it;
//	+--------+--------+--------+--------+           waiting and bell by the producer too
const (
	line = 128
	page = 4096

	// Page 0 of the broadcast segment: written once by the maker, the magic last.
	offMagic     = 0  // u64
	offVersion   = 8  // u32
	offByteOrder = 12 // u32
	offMust      = 16 // u32 features that a reader must understand
	offMay       = 20 // u32 features that it may ignore
	offCapacity  = 24 // u64
	offMaxRecord = 32 // u64 largest payload
	offSlots     = 40 // u32
	offRingFlags = 44 // u32 frame flags that every record carries
	offCreation  = 48 // 16 bytes, the same in both segments
	offRing      = 64 // u64 where the ring begins
	offSize      = 72 // u64 length of the broadcast segment

	// Page 1: one line for each group that the producer writes together.
	offHorizon = page + 0  // u64 no byte before horizon - capacity may be relied on
	offResume  = page + 16 // two copies of (sequence, position, sequence)

	offCheckpoint = page + 1*line // sixteen of them, 32 bytes apart: four lines

	offState     = page + 5*line      // u64 end of the stream | state in the low 4 bits
	offEpoch     = page + 5*line + 8  // u64 how many producers there have been
	offFenceMode = page + 5*line + 16 // u32 who pays for the fence before a sleep
	offConsumers = page + 5*line + 20 // u32 how many the producer knows: a hint for spinning
	offBoot      = page + 5*line + 24 // 16 bytes, boot of the machine of this epoch

	offWakeAt = page + 6*line     // u64 a cursor that crosses it wakes the producer; 0: nobody waits
	offNeedAt = page + 6*line + 8 // u64 a cursor below it holds the producer up, <= wakeAt

	offPublished = page + 7*line      // u64 next sequence: statistics
	offPosition  = page + 7*line + 8  // u64 end of what is committed: statistics, and what waiting consumers find a hole by
	offBytes     = page + 7*line + 16 // u64 payload bytes: statistics

	offCreditWaits = page + 8*line      // u64 statistics, as all of this line
	offWaitingFor  = page + 8*line + 8  // u32 slot + 1
	offWaitedFor   = page + 8*line + 12 // u32 slot + 1
	offWakes       = page + 8*line + 16 // u64
	offEvictions   = page + 8*line + 24 // u64

	offOwner   = page + 9*line // u32 length, then text: who the producer is, for people
	ownerBytes = line - 4

	// Page 2 and on: what the producer no longer waits for.
	offEvicted   = 2 * page // at u64, generation u64 for each slot
	evictedBytes = 16

	// Page 0 of the slot segment.
	offSlotMagic    = 0
	offSlotVersion  = 8
	offSlotCount    = 12 // u32
	offSlotCreation = 16 // 16 bytes
	offJoins        = line

	// A slot. Its first line is what Release writes.
	slotCursor   = 0  // u64 all before it may be overwritten; left: nobody is here
	slotSequence = 8  // u64 record at the cursor: statistics; 0 while joining
	slotReceived = 16 // u64 statistics
	slotLost     = 24 // u64 statistics

	slotGeneration = line + 0  // u64 which owner of this slot, from 1
	slotPolicy     = line + 8  // u32
	slotExpedited  = line + 12 // u32 1: a membarrier reaches this consumer, 0: it fences after each cursor store
	slotDeadline   = line + 16 // u64 nanoseconds
	slotBellBase   = line + 24 // u32 bell at join: statistics
	slotNameLen    = line + 28 // u32
	slotName       = line + 32 // MaxName bytes

	slotWaiting = 2*line + 0 // u32 1: asleep or about to be
	slotBell    = 2*line + 4 // u32 futex word, only ever added to

	slotNeedsFence = 3*line + 0 // u32 1: this consumer cannot issue a membarrier
	slotWaits      = 3*line + 8 // u64 statistics
)

const (
	magic         = 0x31474e5253524143 // "CARSRNG1" as bytes
	slotMagic     = 0x31544c5353524143 // "CARSSLT1" as bytes
	layoutVersion = 1
	byteOrder     = 0x01020304

	// features that this build understands; bits of rings yet to come are
	// refused by name (mustUnderstand) or ignored.
	knownMust = 0

	checkpoints     = 16
	checkpointBytes = 32
	resumeBytes     = 24
	left            = ^uint64(0) // cursor of a slot in which nobody is

	// states, in the low bits of offState: positions are multiples of 16.
	stateOpen   = 1
	stateClosed = 2
	stateMask   = 15

	// fence modes.
	fenceProducer = 0 // the producer fences after every commit
	fenceSleeper  = 1 // whoever goes to sleep issues a membarrier
)

// broadcastHead is how long the broadcast segment is before its ring.
func broadcastHead(slots int) uint64 {
	return offEvicted + (uint64(slots)*evictedBytes+page-1)/page*page
}

func (g geometry) ringStart() uint64     { return broadcastHead(g.slots) }
func (g geometry) broadcastSize() uint64 { return g.ringStart() + g.capacity }
func (g geometry) slotsSize() uint64     { return uint64(1+g.slots) * page }

func checkpointAt(i uint64) uint64 { return offCheckpoint + i%checkpoints*checkpointBytes }
func resumeAt(i int) uint64        { return offResume + uint64(i)*resumeBytes }
func evictedAt(slot int) uint64    { return offEvicted + uint64(slot)*evictedBytes }
func slotPage(slot int) uint64     { return uint64(1+slot) * page }
func slotAt(slot int) uint64       { return slotPage(slot) + slotInPage(slot) }

// slotInPage is where in its page a slot begins: in eight places by turns. The
// producer looks at every slot after each commit, and caches that find a line
// by the low bits of its address have no room for the same line of many pages.
func slotInPage(slot int) uint64 { return uint64(slot) % 8 * 4 * line }

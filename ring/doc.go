// Package ring is a broadcast ring in shared memory: one producer process puts
// records on it, any number of consumer processes see each of them come past.
// There is no daemon and no lock on the data path, and any process may be
// killed at any instruction without harm to the others or to a committed
// record.
//
//	r, err := ring.Create("ticks", ring.Config{Capacity: 1 << 20})
//	p, err := r.NewProducer()
//	buf, err := p.Reserve(ctx, n) // fill buf; repeat for a batch
//	err = p.Commit()              // one store makes all of it visible
//
//	r, err := ring.Open("ticks")
//	c, err := r.NewConsumer(ring.ConsumerConfig{Name: "risk"})
//	for rec, err := range c.Records(ctx) { … }
//
// Open does not wait for the ring to be made. Package transport does, and finds
// rings and other media by URL; it has the core of what is here: Reserve, Commit,
// Next, Release.
//
// Three kinds of consumers share a ring. A Reliable one gates the producer
// until it has released; a Deadline one does so for a bounded time and is then
// evicted; a Lossy one never does, and is told exactly which records it missed.
//
// # Words
//
// A position is an offset in bytes from the beginning of the stream; it never
// wraps, and its low bits are the place in the ring. A sequence is the number
// of a record, from 1. P0 is the end of what is committed. A lap is one turn
// of the ring. A point is a sequence with the position at which it begins.
//
// # Publishing
//
// The sequence in a record's header is its commit word. The producer writes a
// record, zeroes the word behind it, and then stores the sequence with release
// order: that one store publishes. Of a batch the first commit word is stored
// last. A consumer that expects sequence s looks at its
// position until it finds s there; everything else it finds means "not yet".
// So one cache line moves per hop, and not two as with a shared index.
//
//	before   … | s-1 | 0 . . . . . . . . . . . . .      consumers wait at the 0
//	staged   … | s-1 | 0 payload | s+1 payload | 0      nobody can walk past the first 0
//	commit   … | s-1 | s payload | s+1 payload | 0      both records at once
//
// The zero matters: without it somebody who walks could take bytes of the last
// lap, chosen with intent, for a commit word.
//
// A record never crosses the end of the ring. Where it would, a filler (PAD)
// precedes it; filler and record are one batch. Fillers and the end of the
// stream (EOS) carry the next sequence and do not use it up.
//
// # Credit
//
// What the producer may overwrite is decided away from the hot path, about
// sixteen times a lap. It reads the cursors of the consumers that gate, and
// picks a target no further than a lap beyond the slowest of them and beyond
// P0. Without enough room it waits and announces nothing. Else, in this order,
// it stores a resume point (P0), raises the horizon to the target, fences, and
// reads the cursors again. The order is the protocol:
//
//   - The resume point comes before the horizon, so that a successor always
//     finds a point from which to walk: horizon <= resume + capacity.
//   - The horizon comes before the second look at the cursors, with a full
//     fence between, and a joiner stores its cursor before it looks at the
//     horizon, fenced likewise. One of the two sees the other.
//   - The horizon comes before the first overwriting store. Whoever has read
//     something that it does not gate looks at the horizon afterwards: not
//     further than a lap beyond the record means that it was whole.
//
// Cursors are clamped to what they can lawfully be; a wrong one harms its
// owner only.
//
// # Losing and finding again
//
// The first record of each sixteenth of the ring is noted as a checkpoint,
// after its commit. A lapped consumer takes a checkpoint that the horizon has
// not passed, or the resume point, and counts what lies between exactly, since
// points carry sequences. Points are three words, sequence, position,
// sequence, read in reverse: two plain words can be read torn.
//
// An evicted consumer finds its generation in the producer's list of the
// evicted, which is written before the space is opened. It looks there after
// it has read a payload and before it believes it. The horizon cannot serve
// for this: a lawful joiner may stand further behind it than a lap.
//
// # Sleeping
//
// A consumer sleeps on a bell of its own, a futex word in its slot. It reads
// the bell, says that it waits, fences, looks at everything that could end its
// wait, and sleeps if the bell has not moved. The producer commits, looks who
// waits, clears that, moves the bell, wakes. Cancel, Close, a death and an
// eviction move the same bell. Between the producer's commit and its look
// there ought to be a full fence, which would make every publish wait for the
// consumer's cache line to come back; the sleeper pays instead, by a
// membarrier that interrupts the producer's processor. Where that is refused,
// or consumers sleep so often that it costs more than it spares, the producer
// fences, and the ring says so (Stats: Fence).
//
// A producer without credit stores wakeAt and sleeps on the cursor of the
// slowest consumer; the consumer whose cursor crosses wakeAt wakes it. No
// sleep depends on its bound.
//
// # Life and death
//
// Locks that the kernel drops with their process prove who is alive; never a
// pid, which is somebody else's a moment later. A producer that finds the
// ring unowned walks from the resume point to the first uncommitted word, and
// goes on there in a new epoch: it writes nothing before that, so that it may
// be killed too. Then it rings every bell, because the one before may have
// died between a commit and its wake. Dead consumers no longer gate.
//
// Everything committed is delivered before a death is reported.
//
// # Trust
//
// A named ring trusts its user: files of another owner, with access for
// others, symbolic links and everything else that could be somebody's plant
// are refused when it is opened. Whatever bytes are in it, a handle does not
// panic, read outside its mapping or loop for ever: lengths are loaded once and
// checked against a private copy of the geometry. What only a checksum can
// find, it finds if the ring was made with Config.Checksum.
//
// A served ring (Listen, Serve, Dial) does not trust its consumers. It has no
// name: its memory is sealed, so that the producer alone can write to it,
// whatever the consumer's privileges, and handed over at a socket together with
// a page of the consumer's own, all that it may write to. What it writes there
// cannot change what others read. Its connection is the proof of life, both
// ways. The kernel says of which user it is; others than the producer's own are
// admitted only if ServeConfig.Users names them, and then as strangers: they
// hold the producer up no longer than ServeConfig.Patience, which is not at
// all unless it says so, and the producer looks for sleepers among them, and
// wakes them, only so many times in a millisecond. A child gets its place from
// Invite, without a socket that has a name. What seals do not stop: the
// superuser, and processes of the producer's own user, may change the
// producer's memory itself unless it is non-dumpable (prctl).
//
// # Reading the source
//
// layout.go has every shared word with its place and its only writer; word.go
// the ways to access one. The producer is producer.go, write.go, gates.go (the consumers
// it knows), credit.go (room, and waiting for it) and recover.go; the consumer
// is consumer.go, release.go, wait.go, lossy.go and join.go. points.go and
// walk.go find a place in the stream. life.go, backing.go and files.go say where
// a ring lives and who in it is alive; of a served ring serve.go, served.go,
// places.go, reception.go, terms.go, strangers.go and invite.go do for the
// producer, dial.go for a consumer, and handshake.go has what the two say to
// each other. "Row n" in comments is a row of the
// table below.
//
// # Ordering
//
// P is the producer, C a consumer. "store-load" is what costs a full fence.
//
//	row  first, then second                                    needed       pairs
//	1    P payload, length, zero, then first commit word       store-store  2
//	2    C commit word, then length and payload                load-load    1
//	3    P resume words, then horizon                          store-store  4
//	4    C horizon, point in reverse, horizon                  load-load    3
//	5    P horizon, then cursors, generations, joins           store-load   6
//	5b   P horizon or evicted, then overwriting stores         store-store  7, 8
//	6    C joining: cursor, generation, then horizon           store-load   5
//	7    C lossy: payload, then horizon                        load-load    5b
//	8    C deadline: payload, then evicted                     load-load    5b
//	9    C payload, then cursor                                load-store   10
//	10   P cursor, then overwriting stores                     load-store   9
//	11   P commit, then joins, waiting                         store-load, paid by 12 or P
//	12   C bell, waiting, then mode, commit, everything        store-load   11
//	13   C cursor, then wakeAt                                 store-load, paid by 14 or C
//	14   P wakeAt, then cursors, then sleep                    store-load   13
//	15   P waiting = 0, bell + 1, wake                         in order     12
//	16   P evicted position, then generation                   store-store  C reads in reverse
//	17   C joining: policy, deadline, cursor, then generation  store-store  P reads in reverse
//	18   P walk, then epoch, then all bells                    store-store  C wakes, reads epoch
//
// The joins of a served ring (rows 6 and 11) are private to its producer. A
// consumer that has stored its cursor and generation says so at the socket,
// and looks at the horizon when the answer has come: between the two the
// producer's side has counted it, by an atomic add.
package ring

// Package model explores the protocol of package ring: every interleaving of
// a producer and one or two consumers in small worlds, with kills at every
// step. Its steps bear the names of the functions in ring that they model, so
// that a trace can be read beside the code:
//
//	state.go        shared words and what each process keeps to itself
//	memory.go       stores that are not yet visible, in two memory orders
//	steps.go        where a process can stand
//	producer.go     recover, reserve, commit, Close
//	gates.go        the list of consumers: refresh, gate, wake
//	credit.go       credit and the wait for it, eviction
//	consumer.go     Next, Release, Close
//	wait.go         the consumer's sleep, death, the wait for a producer
//	join.go         joins
//	lossy.go        resync, and the choice of a point
//	properties.go   what must be true
//	world.go        the kernel: locks, sleepers, kills, notices, deadlines
//	explore.go      breadth-first search, and the way to what it found
//	configs.go      the small worlds
//	mutants.go      what is known to be wrong, each of which must be found
//	suite.go        all of it
//
// # Properties
//
// At every step: what a consumer accepts is what was committed, whole, in
// order, without a gap that was not told; only a lossy consumer loses, and
// exactly what it is told; a join, a resync and a recovery end where a record
// begins, under its sequence; recovery finds the end of what was committed;
// the horizon stays within a lap of P0, of a resume point and of the gates;
// ErrCorrupt is never told; io.EOF comes where a Close ended the stream, a
// death behind everything committed; who is told of its eviction is told where
// it stood and never gates again.
//
// In the end: from every state an end can be reached in which everybody is
// through with the script, without the help of a kill, a cancel or a wake for
// nothing. A lost wake, a deadlock and a loop that nothing leaves all break
// that. Sleeps have no bound, but for the slices that are the mechanism where
// membarrier is refused. Fairness is not modelled: who could go on for ever
// without coming to an end, though it might, is not found.
//
// # Memory orders
//
// In both, a store goes into the buffer of its process, whose own loads see
// it, and becomes visible later. A barrier, an exchange and an atomic add wait
// until the buffer is empty, and so does a call of FUTEX_WAKE, which Linux
// promises; FUTEX_WAIT is not counted on. Somebody's membarrier empties the
// buffers of the processes that are registered.
//
// TSO, for amd64: stores become visible in program order.
//
// Weak, for arm64 and whatever else keeps the promises of ring/word.go and no
// more: a store may become visible before older ones, unless it is a release,
// or the older is to the same word. Behind a load that is no acquire, the load
// that follows may be satisfied first: payload and then horizon or evicted,
// unless fenceLoad stands between; and in mutants the commit word and the
// words of a point. It is weaker than LDAR and STLR, which keep a load behind
// an earlier release.
//
// What neither can show: a load that is satisfied early across more than one
// other, or before a branch that decides about it; a store that is visible
// before an earlier load of its process is satisfied (rows 9 and 10: row 9 is
// shown by a mutant that swaps the two; row 10 is kept by the branch on the
// cursor on any processor that does not show speculative stores); stores that
// different processes see in different order, which arm64 does not have; tears
// within a word; what a compiler does.
//
// # Reductions
//
// All of them keep every violation. What a process does between two accesses
// to something shared is one step with the access before. Stores go into the
// buffer as early as that: they are marked when the process is known to be
// past them, and only those are made visible by a kill or a membarrier, while
// the others may still never have been. Words that only producers write are
// read at once by a new producer, since the old one is dead and its buffer
// empty. Points become visible at once where nobody reads them and nobody is
// killed. A bell is whether it has moved since its owner read it, which is
// what a counter of 32 bits tells as long as it does not come round within one
// sleep. The resume words that choose compares when it finds no point are
// loaded only where a configuration says so.
//
// These are bounds, not reductions: at most twelve stores of a process are
// pending, at most six when it takes a step, and fewer where a configuration
// says so; scripts are a lap or two long; the budget of kills, wakes for
// nothing and cancels is one or two.
//
// A state that was seen is remembered by 128 bits of the runtime's hash, under
// seeds of the day. If that hashes like chance, the probability that n states
// hide one is below n*n / 2^129: less than 10^-24 for four million.
//
// # Not modelled
//
// Checksums, types, chains and selective reading. Start at a sequence. A peer
// that writes what it must not, so the clamp of cursors and the checks of
// lengths have nothing to do here. Close by another goroutine, and views that
// outlive it. The reboot of the machine and power loss. Who may take a lock,
// and files: locks are what the kernel promises, and one producer at a time is
// given. Spinning, which is a sleep that ends at its first look, and credit
// that is refused for being too little while there is time.
package model

package ring

// The seam. Every access to a word that another process may write at the same
// time goes through one of the functions of word_*.go, of which exactly one is
// in a build:
//
//	word_amd64.go     release stores are MOV, not Go's XCHG
//	word_atomic.go    sync/atomic: other processors, and the race detector
//	word_explore.go   tag explore: every access is a step of a schedule
//
// Their meaning is the same in each:
//
//	load64, load32          acquire: nothing later is read or written earlier
//	store64, store32        release: nothing earlier is written later
//	plain64, plain32        a store that is ordered by a later release store only
//	fenced64, fenced32      a store and a full barrier behind it
//	add32, add64            atomic add, and a full barrier behind it
//	fence                   full barrier
//	fenceLoad               loads before it are done before loads behind it
//	copyIn, copyOut         payload, which may be overwritten while it is read:
//	                        whoever reads so validates afterwards
//	mark                    a store to a word of this process that Close reads
//	                        after a barrier of its own (section.go)
//
// pause waits politely for n turns of the processor's spin hint.

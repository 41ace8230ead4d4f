//go:build !race && !explore

package ring

import "sync/atomic"

// On amd64 every load is an acquire and every store a release; only the
// compiler has to be held. It threads everything that reads or writes memory on
// one chain, in the order of the program, and an atomic operation is a link that
// it neither drops nor moves: so a plain store stays between the stores before
// it and an atomic load behind it, and is not taken for dead. What is loaded
// there is a word that nobody ever stores to. (The word just stored would be the
// worst choice: a consumer is about to take its line.) Go's own atomic store is
// an XCHG, which waits until the store buffer is empty, and so for that line.

func store64(p *uint64, v uint64) {
	*p = v
	atomic.LoadUint32(&stays)
}

func store32(p *uint32, v uint32) {
	*p = v
	atomic.LoadUint32(&stays)
}

// stays is never stored to.
var stays uint32

func load64(p *uint64) uint64 { return atomic.LoadUint64(p) }
func load32(p *uint32) uint32 { return atomic.LoadUint32(p) }

func plain64(p *uint64, v uint64) { *p = v }
func plain32(p *uint32, v uint32) { *p = v }

func fenced64(p *uint64, v uint64) { atomic.SwapUint64(p, v) }
func fenced32(p *uint32, v uint32) { atomic.SwapUint32(p, v) }

func add64(p *uint64, d uint64) uint64 { return atomic.AddUint64(p, d) }
func add32(p *uint32, d uint32) uint32 { return atomic.AddUint32(p, d) }

func fence() { fullBarrier() }

// fenceLoad: the processor keeps loads in order; the call holds the compiler.
func fenceLoad() { loadBarrier() }

func mark(p *uint32, v uint32) { *p = v }

func fencedMark(p *uint32, v uint32) { atomic.SwapUint32(p, v) }

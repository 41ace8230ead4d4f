//go:build (race || !amd64) && !explore

package ring

import "sync/atomic"

func store64(p *uint64, v uint64) { atomic.StoreUint64(p, v) }
func store32(p *uint32, v uint32) { atomic.StoreUint32(p, v) }

func load64(p *uint64) uint64 { return atomic.LoadUint64(p) }
func load32(p *uint32) uint32 { return atomic.LoadUint32(p) }

// Atomic, although its order does not matter: a consumer that is being lapped
// may read it now, which the race detector would call a race.
func plain64(p *uint64, v uint64) { atomic.StoreUint64(p, v) }
func plain32(p *uint32, v uint32) { atomic.StoreUint32(p, v) }

// The race detector's atomic store is a release only, so the barrier is spelt
// out: an exchange, and on machines whose exchange is no full barrier, one more.
func fenced64(p *uint64, v uint64) { atomic.SwapUint64(p, v); fullBarrier() }
func fenced32(p *uint32, v uint32) { atomic.SwapUint32(p, v); fullBarrier() }

func add64(p *uint64, d uint64) uint64 { v := atomic.AddUint64(p, d); fullBarrier(); return v }
func add32(p *uint32, d uint32) uint32 { v := atomic.AddUint32(p, d); fullBarrier(); return v }

func fence()     { fullBarrier() }
func fenceLoad() { loadBarrier() }

func mark(p *uint32, v uint32) { atomic.StoreUint32(p, v) }

func fencedMark(p *uint32, v uint32) { atomic.SwapUint32(p, v); fullBarrier() }

//go:build explore

package ring

import "sync/atomic"

// step, when set, is called before every access to a shared word with the
// kind of access and the address. It may stop the schedule by a panic of its
// own, as a kill -9 between two instructions would.
var step func(kind accessKind, p *uint64, p32 *uint32)

type accessKind uint8

const (
	accessLoad accessKind = iota
	accessStore
	accessFence
	accessPayload
)

func at64(k accessKind, p *uint64) {
	if step != nil {
		step(k, p, nil)
	}
}

func at32(k accessKind, p *uint32) {
	if step != nil {
		step(k, nil, p)
	}
}

func load64(p *uint64) uint64      { at64(accessLoad, p); return atomic.LoadUint64(p) }
func load32(p *uint32) uint32      { at32(accessLoad, p); return atomic.LoadUint32(p) }
func store64(p *uint64, v uint64)  { at64(accessStore, p); atomic.StoreUint64(p, v) }
func store32(p *uint32, v uint32)  { at32(accessStore, p); atomic.StoreUint32(p, v) }
func plain64(p *uint64, v uint64)  { at64(accessStore, p); atomic.StoreUint64(p, v) }
func plain32(p *uint32, v uint32)  { at32(accessStore, p); atomic.StoreUint32(p, v) }
func fenced64(p *uint64, v uint64) { at64(accessStore, p); atomic.SwapUint64(p, v); fence() }
func fenced32(p *uint32, v uint32) { at32(accessStore, p); atomic.SwapUint32(p, v); fence() }
func add64(p *uint64, d uint64) uint64 {
	at64(accessStore, p)
	return atomic.AddUint64(p, d)
}
func add32(p *uint32, d uint32) uint32 {
	at32(accessStore, p)
	return atomic.AddUint32(p, d)
}
func fence()     { at64(accessFence, nil); fullBarrier() }
func fenceLoad() { at64(accessFence, nil); loadBarrier() }

func copyIn(dst, src []byte)  { at64(accessPayload, nil); copy(dst, src) }
func copyOut(dst, src []byte) { copy(dst, src) }

func mark(p *uint32, v uint32) { atomic.StoreUint32(p, v) }

func fencedMark(p *uint32, v uint32) { atomic.SwapUint32(p, v) }

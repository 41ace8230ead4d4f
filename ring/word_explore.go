//go:build explore

package ring

import "sync/atomic"

// step, when set, is called before every access to a shared word, with its
// first four bytes, and around fences and marks with none. It may hand over to
// somebody else, or panic with something of its own: what kill -9 does.
var step func(kind accessKind, p *uint32)

// forge, when set, has the last word about what a load finds: a hostile peer.
var forge func(p *uint32, found uint64) uint64

type accessKind uint8

const (
	accessLoad accessKind = iota
	accessStore
	accessFence
	accessMark
	accessFill // half of a payload is written
	accessCopy // half of a payload is read
	accessSleep
	accessWake
)

func at(k accessKind, p *uint32) {
	if step != nil {
		step(k, p)
	}
}

func load64(p *uint64) uint64 {
	at(accessLoad, low(p))
	v := atomic.LoadUint64(p)
	if forge != nil {
		v = forge(low(p), v)
	}
	return v
}

func load32(p *uint32) uint32 {
	at(accessLoad, p)
	v := atomic.LoadUint32(p)
	if forge != nil {
		v = uint32(forge(p, uint64(v)))
	}
	return v
}

func store64(p *uint64, v uint64)  { at(accessStore, low(p)); atomic.StoreUint64(p, v) }
func store32(p *uint32, v uint32)  { at(accessStore, p); atomic.StoreUint32(p, v) }
func plain64(p *uint64, v uint64)  { store64(p, v) }
func plain32(p *uint32, v uint32)  { store32(p, v) }
func fenced64(p *uint64, v uint64) { store64(p, v); fence() }
func fenced32(p *uint32, v uint32) { store32(p, v); fence() }

func add64(p *uint64, d uint64) uint64 { at(accessStore, low(p)); return atomic.AddUint64(p, d) }
func add32(p *uint32, d uint32) uint32 { at(accessStore, p); return atomic.AddUint32(p, d) }

func fence()     { at(accessFence, nil); fullBarrier() }
func fenceLoad() { at(accessFence, nil); loadBarrier() }

// A payload moves in two halves, so that it can be seen torn.
func copyIn(dst, src []byte)  { halves(accessFill, dst, dst, src) }
func copyOut(dst, src []byte) { halves(accessCopy, src, dst, src) }

func halves(k accessKind, shared, dst, src []byte) {
	n := min(len(dst), len(src))
	at(k, first(shared))
	copy(dst[:n/2], src)
	at(k, first(shared))
	copy(dst[n/2:n], src[n/2:])
}

func mark(p *uint32, v uint32) { atomic.StoreUint32(p, v); at(accessMark, nil) }

func fencedMark(p *uint32, v uint32) { mark(p, v) }

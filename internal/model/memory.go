package model

// Order is a memory order.
type Order uint8

const (
	// TSO is amd64: stores become visible in program order, later than loads
	// behind them are satisfied.
	TSO Order = iota
	// Weak is what the seam of the ring promises and no more: stores become
	// visible in any order but for releases, barriers and the same word; a load
	// that a plain load precedes may be satisfied before it.
	Weak
)

func (o Order) String() string { return [...]string{"tso", "weak"}[o] }

// buffer holds the stores of a process that are not yet visible, oldest first.
type buffer struct {
	n uint8
	e [depth]entry
}

type entry struct{ at, value, flags uint8 }

// Flags of an entry.
const (
	release  = 1 << iota // nothing older is visible later
	executed             // the process is past it: it does become visible
	commits              // it publishes; its end is pending[turn]
	turnBit
)

func (r *run) load(at uint8) uint8 {
	b := &r.buf[r.who]
	for i := int(b.n) - 1; i >= 0; i-- {
		if b.e[i].at == at {
			return b.e[i].value
		}
	}
	return r.mem[at]
}

func (r *run) put(at, value, flags uint8) {
	b := &r.buf[r.who]
	if b.n == depth {
		r.fail("model: more stores pending than the model holds")
		return
	}
	b.e[b.n] = entry{at, value, flags}
	b.n++
}

func (r *run) store(at, value uint8) { r.put(at, value, release) }
func (r *run) plain(at, value uint8) { r.put(at, value, 0) }

// fenced is a store and a full barrier: a step of its own that waits until
// the buffer is empty.
func (r *run) fenced(at, value uint8) { r.mem[at] = value }

func (r *run) add(at uint8) { r.mem[at]++ }

// drainable tells whether entry i of a buffer may become visible now.
func (m *machine) drainable(b *buffer, i uint8) bool {
	if i >= b.n {
		return false
	}
	if i == 0 {
		return true
	}
	if m.order == TSO || b.e[i].flags&release != 0 {
		return false
	}
	for j := range i {
		if b.e[j].at == b.e[i].at {
			return false
		}
	}
	return true
}

// drain makes entry i visible. Whatever is older was executed, too.
func (r *run) drain(who, i uint8) {
	b := &r.buf[who]
	e := b.e[i]
	for j := range i {
		b.e[j].flags |= executed
	}
	copy(b.e[i:], b.e[i+1:b.n])
	b.n--
	b.e[b.n] = entry{}
	r.mem[e.at] = e.value
	if e.flags&commits != 0 {
		slot := uint8(0)
		if e.flags&turnBit != 0 {
			slot = 1
		}
		r.committed(slot)
	}
	if who == producerID {
		r.announcedLawfully(e.at)
	}
}

// settle makes stores visible that nobody looks at: who could is a successor
// of a producer that was killed, a joiner or a lossy consumer, for points.
func (r *run) settle() {
	if r.pointed {
		return
	}
	b := &r.buf[producerID]
	for i := uint8(0); i < b.n; {
		if at := b.e[i].at; at >= aResume && at < aState && r.drainable(b, i) {
			r.drain(producerID, i)
			i = 0
		} else {
			i++
		}
	}
}

// execute marks everything pending as behind the process.
func (r *run) execute() {
	b := &r.buf[r.who]
	for i := range b.n {
		b.e[i].flags |= executed
	}
}

// flush makes the executed stores of a process visible: what its death, or
// somebody's membarrier, does. Stores that the model has put into the buffer
// ahead of time stay.
func (r *run) flush(who uint8) {
	for i := uint8(0); i < r.buf[who].n; {
		if r.buf[who].e[i].flags&executed != 0 {
			r.drain(who, i)
		} else {
			i++
		}
	}
	if who > 0 {
		r.c[who-1].early = 0
	}
}

func (r *run) discard(who uint8) { r.buf[who] = buffer{} }

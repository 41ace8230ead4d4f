package model

import (
	"fmt"
	"hash/maphash"
	"time"
)

// Result is what an exploration found.
type Result struct {
	Config      string
	Order       Order
	States      int
	Transitions int
	Time        time.Duration
	Violation   *Violation // nil: none
}

// Violation is a property that is broken, and the shortest way there.
type Violation struct {
	What  string
	Trace []string // step by step, and what it led to
	Steps int
	Bound bool // no property: the configuration is larger than allowed
}

// node is how a state was reached first.
type node struct {
	parent uint32
	by     action
}

// edge is a step on which one may count.
type edge struct{ from, to uint32 }

// explorer goes breadth first through the states of a machine. It remembers
// states by a hash of 128 bits.
type explorer struct {
	*machine
	seeds [2]maphash.Seed
	seen  table
	nodes []node
	edges []edge
	done  []uint32
	most  int
}

// Explore visits every state of a configuration, at most so many, and stops
// at the first that breaks a property.
func Explore(c Config, order Order, mutant Mutant, most int) Result {
	begun := time.Now()
	m := &machine{Config: c, order: order, mutant: mutant}
	x := &explorer{machine: m, most: most, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	violation := x.explore()
	return Result{
		Config: c.Name, Order: order, States: len(x.nodes), Transitions: len(x.edges),
		Time: time.Since(begun), Violation: violation,
	}
}

func (x *explorer) explore() *Violation {
	start := x.initial()
	x.visit(&start, node{})
	// Two generations of states: those of one distance, and of the next.
	var now, next []State
	now = append(now, start)
	for first := uint32(0); len(now) > 0; {
		for i := range now {
			id := first + uint32(i)
			for a := range action(actions) {
				if !x.can(a, &now[i]) {
					continue
				}
				s := now[i]
				if what := x.apply(a, &s); what != "" {
					return x.violation(what, id, a)
				}
				to, fresh := x.visit(&s, node{id, a})
				if fresh {
					next = append(next, s)
				}
				if !a.fault() {
					x.edges = append(x.edges, edge{id, to})
				}
			}
			if x.machine.done(&now[i]) {
				x.done = append(x.done, id)
			}
		}
		if len(x.nodes) > x.most {
			return &Violation{What: fmt.Sprintf("more than %d states: the configuration is too large", x.most), Bound: true}
		}
		first += uint32(len(now))
		now, next = next, now[:0]
	}
	return x.stuck()
}

func (x *explorer) visit(s *State, n node) (id uint32, fresh bool) {
	key := [2]uint64{maphash.Comparable(x.seeds[0], *s), maphash.Comparable(x.seeds[1], *s)}
	id, fresh = x.seen.add(key, uint32(len(x.nodes)))
	if fresh {
		x.nodes = append(x.nodes, n)
	}
	return id, fresh
}

// stuck finds a state from which no end can be reached, unless a fault of the
// world helps: a deadlock, a wake that was lost, or a loop without a way out.
func (x *explorer) stuck() *Violation {
	begin := make([]uint32, len(x.nodes)+1)
	for _, e := range x.edges {
		begin[e.to+1]++
	}
	for i := range len(x.nodes) {
		begin[i+1] += begin[i]
	}
	from := make([]uint32, len(x.edges))
	fill := append([]uint32(nil), begin...)
	for _, e := range x.edges {
		from[fill[e.to]] = e.from
		fill[e.to]++
	}
	good := make([]bool, len(x.nodes))
	for _, id := range x.done {
		good[id] = true
	}
	for todo := x.done; len(todo) > 0; {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, f := range from[begin[id]:begin[id+1]] {
			if !good[f] {
				good[f] = true
				todo = append(todo, f)
			}
		}
	}
	return x.worst(good)
}

// worst is the first state that is not good; if there is one where nothing
// happens any more, that, since it tells more.
func (x *explorer) worst(good []bool) *Violation {
	moves := make([]bool, len(x.nodes))
	for _, e := range x.edges {
		moves[e.from] = true
	}
	found := -1
	for id, ok := range good {
		if !ok && !moves[id] {
			return x.violation("deadlock, or somebody sleeps for ever", uint32(id), actions)
		}
		if !ok && found < 0 {
			found = id
		}
	}
	if found < 0 {
		return nil
	}
	return x.violation("no end can be reached any more", uint32(found), actions)
}

// violation goes back to the beginning and tells the way from there: to a
// state, and if it is one, to what an action did in it.
func (x *explorer) violation(what string, id uint32, last action) *Violation {
	var way []action
	if last != actions {
		way = append(way, last)
	}
	for ; id != 0; id = x.nodes[id].parent {
		way = append(way, x.nodes[id].by)
	}
	s := x.initial()
	var trace []string
	for i := len(way) - 1; i >= 0; i-- {
		trace = append(trace, x.name(way[i], &s))
		x.apply(way[i], &s)
	}
	return &Violation{What: what, Steps: len(trace), Trace: append(trace, x.describe(&s)...)}
}

func (x *explorer) describe(s *State) []string {
	lines := []string{
		fmt.Sprintf("  at the end: committed %d records up to %d, units %v, horizon %d, bytes pending %d %d %d",
			s.w.next-1, s.w.end, s.mem[aWord:aWord+x.units], s.mem[aHorizon], s.buf[0].n, s.buf[1].n, s.buf[2].n),
		fmt.Sprintf("  producer at %q, P0 %d, limit %d, alive %v", stepNames[s.p.pc], s.p.pos, s.p.limit, s.w.alive),
	}
	for i := range x.consumers {
		c := &s.c[i]
		lines = append(lines, fmt.Sprintf("  consumer %d at %q, next record %d at %d, cursor %d, ended %d", i+1, stepNames[c.pc], c.seq, c.pos, c.cursor, c.end))
	}
	return lines
}

// table is a hash set of states' hashes with the number of each.
type table struct {
	slots []slotOf
	n     int
}

type slotOf struct {
	key [2]uint64
	id  uint32 // + 1
}

func (t *table) add(key [2]uint64, id uint32) (uint32, bool) {
	if 4*t.n >= 3*len(t.slots) {
		t.grow()
	}
	i := t.find(key)
	if t.slots[i].id != 0 {
		return t.slots[i].id - 1, false
	}
	t.slots[i] = slotOf{key, id + 1}
	t.n++
	return id, true
}

func (t *table) find(key [2]uint64) uint64 {
	mask := uint64(len(t.slots) - 1)
	i := key[0] & mask
	for t.slots[i].id != 0 && t.slots[i].key != key {
		i = (i + 1) & mask
	}
	return i
}

func (t *table) grow() {
	old := t.slots
	t.slots = make([]slotOf, max(1<<12, 2*len(old)))
	for _, s := range old {
		if s.id != 0 {
			t.slots[t.find(s.key)] = s
		}
	}
}

//go:build explore

package ring

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// F2. A hostile peer changes every word between two loads of it. Each shared
// word may be loaded once in a look. A call of a handle begins a look, and so
// does a fence in it; and these, which look again on purpose and use nothing
// of what was found before.
var secondLooks = []struct{ in, word, why string }{
	{"Consumer.next", "commit word", "the loop looks again after it has waited or was put in order"},
	{"Consumer.there", "commit word", "is there a record meanwhile, before anything else is told"},
	{"Consumer.look", "state", "each look at everything is a look"},
	{"Consumer.look", "epoch", "each look at everything is a look"},
	{"Consumer.hole", "", "each look at everything is a look"},
	{"Consumer.hole", "slot", "each look at everything is a look"},
	{"Consumer.mourn", "epoch", "the epoch again, behind the test of the lock"},
	{"Consumer.mourn", "state", "it may have ended well meanwhile"},
	{"Consumer.evictedNow", "evicted", "behind what was read, before it is believed"},
	{"attachment.passed", "horizon", "behind what was read, before it is believed"},
	{"attachment.kept", "horizon", "a try to find a point begins with the horizon"},
	{"attachment.loadPoint", "checkpoint", "each try loads all points"},
	{"attachment.loadPoint", "resume", "each try loads all points"},
	{"attachment.resumeWords", "resume", "for comparison only: did they change"},
	{"Consumer.choose", "horizon", "for comparison only: did it change"},
	{"Consumer.move", "wakeAt", "each cursor store looks at it"},
	{"Consumer.holding", "needAt", "beside wakeAt"},
	{"Producer.gate", "joins", "each look at the cursors begins with it"},
	{"Producer.gate", "slot", "cursors again, clamped to what they were"},
	{"Producer.Commit", "joins", "behind the commit"},
	{"Producer.refresh", "joins", "taken note of before the slots are looked at"},
	{"Producer.refresh", "slot", "the list of consumers is made anew"},
	{"Producer.admit", "slot", "once for each time that it enters the list"},
	{"Producer.recover", "epoch", "was there a producer at all, and which: both of a ring that nobody owns"},
	{"Producer.begin", "commit word", "behind the walk: was its end once committed"},
	{"attachment.stats", "", "statistics: nothing depends on them"},
	{"attachment.slotLabel", "", "statistics"},
	{"attachment.consumerStats", "", "statistics, behind the look whether anybody is there"},
}

// A liar answers loads: the truth the first time, anything the second.
type liar struct {
	*stage
	chart   *chart
	rng     *rand.Rand
	look    uint32
	seen    []uint32 // for each word the look in which it was loaded last
	calls   int
	loads   int // in this call
	asked   int // second loads; who makes them is looked up for one in 16
	lies    int
	known   map[[6]uintptr]string // callers that were looked up
	again   map[string]int        // listed second looks, how often
	refused map[string]int        // loads that nothing allows
}

func newLiar(s *stage, seed uint64) *liar {
	return &liar{stage: s, chart: s.chart(), rng: rand.New(rand.NewPCG(seed, 7)), seen: make([]uint32, len(s.mem)/4),
		known: map[[6]uintptr]string{}, again: map[string]int{}, refused: map[string]int{}}
}

func (l *liar) begin() { l.look++; l.calls++; l.loads = 0 }

func (l *liar) step(kind accessKind, p *uint32) {
	if p == nil {
		l.look++
		return
	}
	l.index(p)
}

func (l *liar) index(p *uint32) uintptr {
	i := (place(p) - l.chart.base) / 4
	if i >= uintptr(len(l.seen)) {
		panic(fmt.Sprintf("access outside of the ring, at %d of %d", place(p)-l.chart.base, len(l.mem)))
	}
	return i
}

func (l *liar) forge(p *uint32, found uint64) uint64 {
	i := l.index(p)
	second := l.seen[i] == l.look
	l.seen[i] = l.look
	l.loads++
	if second {
		if l.asked++; l.asked&15 == 0 {
			l.ask(p)
		}
	} else if l.rng.Uint32()%64 != 0 {
		return found
	}
	if l.loads > 100 {
		return found // it tires, or loops would go on until their patience ends
	}
	l.lies++
	switch r := l.rng.Uint64(); r % 5 {
	case 0:
		return r >> 3
	case 1:
		return found ^ 1<<(r>>8%64)
	case 2:
		return found + r>>8%8*16
	case 3:
		return found - r>>8%8*16
	default:
		return found
	}
}

// ask finds out who loads a word again.
func (l *liar) ask(p *uint32) {
	var pcs [6]uintptr
	runtime.Callers(4, pcs[:])
	name := l.chart.name(p)
	who, ok := l.known[pcs]
	if !ok {
		var chain []string
		for frames := runtime.CallersFrames(pcs[:]); ; {
			f, more := frames.Next()
			if _, short, ok := strings.Cut(f.Function, ".(*"); ok && !strings.Contains(short, "liar") {
				chain = append(chain, strings.Replace(short, ").", ".", 1))
			}
			if !more {
				break
			}
		}
		who = strings.Join(chain, " < ")
		l.known[pcs] = who
	}
	kind := strings.Join(slices.DeleteFunc(strings.Fields(name), func(s string) bool { _, err := strconv.Atoi(s); return err == nil }), " ")
	if i := strings.IndexByte(kind, '['); i >= 0 {
		kind = kind[:i]
	}
	for _, s := range secondLooks {
		if strings.HasPrefix(kind, s.word) && strings.HasPrefix(who, s.in) {
			l.again[s.in+", "+s.word]++
			return
		}
	}
	l.refused[kind+" in "+who]++
}

func TestHostileMemoryIsLoadedOnceALook(t *testing.T) {
	n := 1_000_000
	if v, err := strconv.Atoi(os.Getenv("CAROUSEL_HOSTILE")); err == nil {
		n = v
	}
	s0 := seed(t)
	start := time.Now()
	l := newLiar(newStage(MinCapacity, 4, false), s0)
	m := newLiar(newStage(MinCapacity, 4, true), s0)
	l.operate(t, n/2)
	m.operate(t, n-n/2)
	took := time.Since(start)
	done := l.calls + m.calls
	t.Logf("%d operations, %d lies, 0 panics, %v: %.1f million a second", done, l.lies+m.lies, took.Round(time.Millisecond), float64(done)/took.Seconds()/1e6)
	for _, s := range secondLooks {
		where := s.in + ", " + s.word
		t.Logf("looked again %9d times: %-36s %s", 16*(l.again[where]+m.again[where]), where, s.why)
	}
	for _, l := range []*liar{l, m} {
		for where, n := range l.refused {
			t.Errorf("loaded again in one look, %d times: %s", n, where)
		}
	}
}

// operate makes n calls of a producer and three consumers, in one goroutine.
func (l *liar) operate(t *testing.T, n int) {
	defer func() { step, forge, kernel = nil, nil, kernelCalls{} }()
	kernel = restless{}
	policies := []Policy{Reliable, Lossy, Deadline(1)}
	var r *Ring
	var p *Producer
	var c [3]*Consumer
	failures := 0
	fresh := func() {
		l.reset()
		l.deaf = true // deaths are found by looking
		step, forge = nil, nil
		r, p, c, failures = l.ring(), nil, [3]*Consumer{}, 0
		step, forge = l.step, l.forge
	}
	fresh()
	buf := make([]byte, 0, MinCapacity)
	for l.calls < n {
		if failures > 50 {
			fresh()
		}
		l.begin()
		x := l.rng.Uint32()
		i := int(x>>8) % 3
		size := int(x >> 16)
		if x>>6&3 == 0 {
			size %= r.MaxRecord() + 1
		} else {
			size %= 64
		}
		var err error
		switch op := x & 63; {
		case p == nil:
			p, err = r.NewProducer(ProducerConfig{Wait: Block, Label: "p"})
		case op < 24:
			if op%8 == 7 {
				var b Batch
				if b, err = p.TryReserveBatch(size, int(x>>28)+1); err == nil {
					l.insideAll(&b)
				}
			} else {
				_, err = p.TryReserve(size)
			}
			if errors.Is(err, ErrFull) || errors.Is(err, ErrBatchFull) {
				err = nil
				l.begin()
				p.Abort()
			}
			l.begin()
			if op%8 != 0 {
				_ = p.Commit()
			}
		case op == 24 && x>>20%64 == 0: // killed
			l.dropProducer()
			clear(l.onSlots) // its own
			p = nil
		case op == 25 && x>>20%64 == 0:
			_ = p.Close()
			p = nil
		case op == 26 && x>>20%16 == 0:
			_, err = r.Stats()
		case c[i] == nil:
			from := []Start{Latest, Oldest, Sequence(uint64(size))}[x>>24%3]
			c[i], err = r.NewConsumer(ConsumerConfig{Name: "c", Policy: policies[i], From: from, Wait: Block})
		case op == 27 && x>>20%16 == 0:
			err = c[i].Close()
			c[i] = nil
		case op < 44:
			var rec Record
			if rec, err = c[i].TryNext(); err == nil {
				l.inside(rec.Payload())
				if op%4 != 0 {
					l.begin()
					err = c[i].Release()
				}
			}
		case op < 48:
			var b Batch
			if b, err = c[i].TryNextBatch(int(x>>28) + 1); err == nil {
				l.insideAll(&b)
				l.begin()
				err = c[i].Release()
			}
		case op < 50:
			for rec, rerr := range c[i].Records(never) {
				if err = rerr; err == nil && policies[i] == Reliable { // others get copies
					l.inside(rec.Payload())
				}
				if size--; size < 0 {
					break
				}
				l.begin()
			}
		default:
			var rec Record
			if rec, err = c[i].Read(never, buf); err == nil && len(rec.Payload()) > r.MaxRecord() {
				t.Fatalf("record of %d bytes", len(rec.Payload()))
			}
		}
		switch {
		case err == nil:
			failures = 0
		case errors.Is(err, ErrEmpty), errors.Is(err, ErrOverrun):
		default:
			failures++
			if c[i] != nil && c[i].err != nil || c[i] != nil && c[i].ended {
				l.begin()
				_ = c[i].Close()
				c[i] = nil
			}
		}
	}
}

func (l *liar) insideAll(b *Batch) {
	for i := range b.Len() {
		l.inside(b.Payload(i))
	}
}

// inside checks that a payload lies in the ring.
func (l *liar) inside(b []byte) {
	if p := first(b); p != nil {
		from := place(p) - l.chart.base
		if start := uintptr(l.geo.ringStart()); from < start || from+uintptr(len(b)) > start+uintptr(l.geo.capacity) {
			panic(fmt.Sprintf("payload of %d bytes at %d, outside of the ring", len(b), from))
		}
	}
}

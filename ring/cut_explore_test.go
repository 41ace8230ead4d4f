//go:build explore

package ring

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/internal/mutate"
)

// FuzzCut: K2 with scenes that the input makes up. A producer or a consumer
// dies at one of its stores to shared memory, whichever the input says, and if
// it says so its successor does while it takes over. What was promised for the
// others, and for who comes next, holds.
//
//	go test -tags explore -run '^$' -fuzz FuzzCut ./ring
func FuzzCut(tf *testing.F) {
	f := mutate.Of(tf)
	for i := range byte(12) {
		f.Add([]byte{0, 100, 5, 0, 3, 40}, []byte{i, 50, 2, 200, i + 3, 9}, i, uint16(i)*5, uint16(0))
		f.Add([]byte{7, 1, 7, 1, 5, 0, 7, 1, 7, 1}, []byte{7, 2, 4, 30, 0, i}, i, uint16(i)*3, uint16(i))
	}
	kernel = restless{}
	f.Cleanup(func() { kernel = kernelCalls{} })
	stages := []*stage{newStage(MinCapacity, 3, false), newStage(MinCapacity, 3, true)}
	var takeover scene
	for _, s := range scenes() {
		if s.name == "takeover" {
			takeover = s
		}
	}
	f.Fuzz(func(t *testing.T, before, act []byte, how byte, cut, again uint16) {
		s, st := imagined(before[:min(len(before), 60)], act[:min(len(act), 30)], how), stages[how>>1&1]
		d, err := rehearse(st, s, 8)
		if err != nil {
			t.Fatalf("before: %v", err)
		}
		stores, _, err := d.kill(1 << 30) // to count them
		if err == nil && stores > 0 {
			if d, err = rehearse(st, s, 8); err == nil {
				_, _, err = d.kill(1 + int(cut)%stores)
			}
		}
		if err == nil && again > 0 && !s.consumer {
			d.scene = takeover
			_, _, err = d.kill(int(again))
		}
		if err == nil {
			err = d.survive()
		}
		if err != nil {
			t.Fatalf("killed at store %d of %d, and the next at %d: %v", 1+int(cut)%max(stores, 1), stores, again, err)
		}
	})
}

// imagined makes a scene: how says who dies and who watches, before what there
// was, act what the victim does.
func imagined(before, act []byte, how byte) scene {
	s := scene{name: "imagined", consumer: how&1 != 0, idle: how&4 != 0}
	s.crew = [][]Policy{nil, {Deadline(1), Lossy}, {Deadline(time.Hour), Reliable}, {Lossy}}[how>>3&3]
	s.before = func(w *play, p *Producer, _ int) {
		w.hasty = true
		for ; len(before) >= 2; before = before[2:] {
			w.perform(p, before[0]%6, int(before[1]))
		}
		w.hasty = false
	}
	if s.consumer {
		s.act = func(v *victim) { v.attend(act) }
		return s
	}
	s.act = func(v *victim) {
		p := v.w.newProducer()
		v.begin()
		for b := act; len(b) >= 2; b = b[2:] {
			if b[0]%7 == 6 {
				v.w.end(p)
				p = v.w.newProducer()
			} else {
				v.w.perform(p, b[0]%7, int(b[1]))
			}
		}
	}
	return s
}

// perform has a producer do one thing that takes no wait.
func (w *play) perform(p *Producer, what byte, n int) {
	switch what {
	case 0:
		w.publish(p, n)
	case 1:
		w.publish(p, n, n/2, 8)
	case 2:
		w.publish(p, min(n*4, p.MaxRecord()))
	case 3:
		w.publish(p, p.MaxRecord()-n)
	case 4:
		w.stagePayload(p, n)
		p.Abort()
	case 5:
		w.drain()
	}
}

// attend has a consumer come, read, sleep and leave, which may be several.
func (v *victim) attend(act []byte) {
	v.begin()
	var c *witness
	for ; len(act) >= 2; act = act[2:] {
		n := int(act[1])
		switch what := act[0] % 4; {
		case c == nil || c.end != nil:
			policy := []Policy{Reliable, Lossy, Deadline(time.Hour)}[n%3]
			c = v.w.join(ConsumerConfig{Policy: policy, From: []Start{Latest, Oldest, Sequence(uint64(n))}[n/3%3]})
		case what == 0:
			c.views = 0
			v.w.takeSome(c, 1+n%4)
		case what == 1:
			c.views = 1
			v.w.takeSome(c, 1+n%4)
		case what == 2:
			if c.next > v.w.acked {
				_, err := c.c.Next(fade(3))
				checkf(errors.Is(err, context.Canceled), "%v", err)
			}
		case what == 3:
			check(c.c.Close())
			c = nil
		}
	}
}

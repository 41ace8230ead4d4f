//go:build explore

package ring

import (
	"fmt"
	"testing"
	"time"
)

// killSizes are the classes of records: none, padding, none of it, those that
// span checkpoints, the largest.
var killSizes = []int{0, 1, 24, 100, 500, 1000, 2028}

// dying counts the stores to shared memory from now on, and lets the k-th be
// one that does not happen.
func dying(k int, die func()) (stores func() int) {
	n := 0
	step = func(kind accessKind, _ *uint32) {
		if kind == accessStore || kind == accessFill {
			if n++; n >= k {
				die()
			}
		}
	}
	return func() int { return n }
}

// A death is one scene, one size, one store.
type death struct {
	*play
	scene scene
	n     int
	known int // watches before the victim came
	p     *Producer
}

func rehearse(st *stage, s scene, n int) (d *death, err error) {
	defer caught(&err)
	st.reset()
	w := &play{world: &world{stage: st}, ends: map[uint64]bool{}}
	w.r = st.ring()
	d = &death{play: w, scene: s, n: n}
	d.p = w.prepare(s, n)
	st.deliver()
	d.known = st.watches
	return d, nil
}

// caught makes an error of a broken promise.
func caught(err *error) {
	switch e := recover().(type) {
	case nil:
	case wrong:
		*err = e.error
	default:
		panic(e)
	}
}

// kill plays the victim until its k-th store.
func (d *death) kill(k int) (stores int, died bool, err error) {
	own := *d.play // the victim knows what the others do, and notes for them
	own.crew, own.hasty = nil, true
	own.jot = func() { d.acked, d.flight = own.acked, own.flight }
	count := func() int { return 0 }
	defer func() {
		step = nil
		switch e := recover().(type) {
		case nil:
		case killed:
			died = true
		case wrong:
			err = e.error
		default:
			panic(e)
		}
		stores = count()
		d.bury()
	}()
	d.scene.act(&victim{w: &own, n: d.n,
		begin: func() { count = dying(k, func() { panic(killed{}) }) },
		meanwhile: func() {
			d.scene.meanwhile(d.play, d.p, d.n)
			own.acked, own.flight = d.acked, d.flight
		},
	})
	return
}

// bury drops the locks of the victim and what it watched.
func (d *death) bury() {
	for id := d.known; id < d.watches; id++ {
		delete(d.onProducer, id)
		delete(d.onSlots, id)
	}
	if !d.scene.consumer {
		d.dropProducer()
	} else {
		for i := range d.slot {
			d.slot[i] = d.slot[i] && i < len(d.crew)
		}
		d.tell(d.onSlots)
	}
	d.deliver()
}

// TestKilledAtEveryStore kills in memory: the victim's stores end, its locks
// drop.
func TestKilledAtEveryStore(t *testing.T) {
	kernel = restless{}
	defer func() { kernel = kernelCalls{} }()
	start, deaths, stores := time.Now(), 0, 0
	stages := []*stage{newStage(MinCapacity, 3, false), newStage(MinCapacity, 3, true)}
	for _, s := range scenes() {
		sceneDeaths := 0
		for _, n := range killSizes {
			for _, st := range stages {
				all := 0
				for k := 1; ; k++ {
					what := fmt.Sprintf("%s, %d bytes, checksum %v, store %d", s.name, n, st.geo.checksum, k)
					d, err := rehearse(st, s, n)
					if err != nil {
						t.Fatalf("%s: before: %v", what, err)
					}
					count, killed, err := d.kill(k)
					if err == nil {
						err = d.survive()
					}
					if err != nil {
						t.Fatalf("%s: %v", what, err)
					}
					if !killed {
						all = count
						break
					}
					sceneDeaths++
				}
				stores += all
			}
		}
		if sceneDeaths == 0 {
			t.Errorf("%s: no store to die at", s.name)
		}
		t.Logf("%-40s %5d deaths, %v", s.name, sceneDeaths, time.Since(start).Round(time.Millisecond))
		deaths += sceneDeaths
	}
	t.Logf("%d scenes, %d sizes, with and without checksums: died at %d of %d stores (%d %%), %v",
		len(scenes()), len(killSizes), deaths, stores, deaths*100/stores, time.Since(start).Round(time.Millisecond))
	if deaths != stores {
		t.Errorf("died at %d of %d stores", deaths, stores)
	}
}

func (d *death) survive() (err error) {
	defer caught(&err)
	d.aftermath(d.p)
	return nil
}

// TestKilledAgainWhileRecovering kills a producer at every store of its
// takeover, and its successor at every store of the next one.
func TestKilledAgainWhileRecovering(t *testing.T) {
	kernel = restless{}
	defer func() { kernel = kernelCalls{} }()
	st := newStage(MinCapacity, 3, false)
	first := producing("publish", func(v *victim, p *Producer) { v.w.publish(p, 8, 300) })
	var next scene
	for _, s := range scenes() {
		if s.name == "takeover" {
			next = s
		}
	}
	deaths := 0
	for j := 1; ; j++ {
		over := false
		for k := 1; ; k++ {
			d, err := rehearse(st, first, 8)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = d.kill(7)
			d.scene, d.n = next, 200
			killed := [2]bool{}
			if err == nil {
				_, killed[0], err = d.kill(j)
			}
			if err == nil {
				_, killed[1], err = d.kill(k)
			}
			if err == nil {
				err = d.survive()
			}
			if err != nil {
				t.Fatalf("killed at store %d of a takeover and at store %d of the next: %v", j, k, err)
			}
			over = !killed[0]
			if !killed[1] {
				break
			}
			deaths++
		}
		if over {
			t.Logf("%d takeovers killed at each of %d stores", deaths, j-1)
			return
		}
	}
}

//go:build linux && !carousel_portable

package hostile

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// TestHostileConsumers is H1: hostile consumers of another user beside honest
// ones. Attack and quiet take turns; in the quiet the same processes only burn
// processor time. CAROUSEL_H1 is how long it takes, 3 s by default; only the
// long run, which wants a machine to itself, judges times.
func TestHostileConsumers(t *testing.T) {
	length := 3 * time.Second
	long := os.Getenv("CAROUSEL_H1")
	if long != "" {
		var err error
		length, err = time.ParseDuration(long)
		must(t, err)
	}
	s := newScene(t)
	env := []string{"SOCKET=" + s.socket("s"), "CAPACITY=1048576", fmt.Sprint("USERS=", honestUser, " ", nobody), "PATIENCE=0s"}
	producer := s.start(producerUser, "producer", env...)
	honest := map[string]*player{
		"reliable, block":            s.start(producerUser, "honest", append(env, "WAIT=block", "POLICY=reliable")...),
		"reliable, adaptive":         s.start(producerUser, "honest", append(env, "WAIT=adaptive", "POLICY=reliable")...),
		"lossy, block, another user": s.start(honestUser, "honest", append(env, "WAIT=block", "POLICY=lossy")...),
	}
	var hostile []*player
	for way := range ways {
		hostile = append(hostile, s.start(nobody, "hostile", append(env, "WAY="+way)...))
	}
	_, err := producer.do(enough, "wait", len(honest))
	must(t, err)
	for _, h := range honest {
		h.tell("all")
	}
	type figure struct{ records, ns [2]float64 }
	modes := []string{"0", "1", "32"} // paced; unpaced, batches of so many
	rates := map[string]*figure{"0": {}, "1": {}, "32": {}}
	slice := min(length/6, time.Second)
	for begun := time.Now(); time.Since(begun) < length; {
		for _, mode := range modes {
			for attack, command := range []string{"rest", "attack"} {
				for _, h := range hostile {
					_, err := h.do(enough, command)
					must(t, err)
				}
				tag := 2 // of no delay to be counted
				if mode == "0" {
					tag = attack
				}
				said, err := producer.do(slice+enough, "run", mode, slice.Milliseconds(), tag)
				must(t, err)
				var n, ns float64
				if _, err := fmt.Sscan(said, &n, &ns); err != nil {
					t.Fatalf("the producer said %q: %v", said, err)
				}
				f := rates[mode]
				f.records[attack] += n
				f.ns[attack] += ns
			}
		}
	}
	_, err = producer.do(enough, "end")
	must(t, err)
	for name, h := range honest {
		said, err := isOK(h.hear("all", enough))
		must(t, err)
		var records, corrupt, lost uint64
		var delays [2][3]time.Duration
		_, err = fmt.Sscan(said, &records, &corrupt, &lost,
			&delays[0][0], &delays[0][1], &delays[0][2], &delays[1][0], &delays[1][1], &delays[1][2])
		if err != nil {
			t.Fatalf("%s said %q: %v", name, said, err)
		}
		t.Logf("%-26s: %d records, %d corrupt, %d lost; delay p50, p99, max: quiet %v, attack %v", name, records, corrupt, lost, delays[0], delays[1])
		reliable := name[0] == 'r'
		if corrupt > 0 || reliable && lost > 0 || records == 0 {
			t.Errorf("%s: %d records, %d corrupt, %d lost", name, records, corrupt, lost)
		}
		if most := 25 * time.Millisecond; long != "" && delays[1][1] > most {
			t.Errorf("%s: delay of %v (p99) under attack, want at most %v", name, delays[1][1], most)
		}
	}
	for _, mode := range modes[1:] {
		f := rates[mode]
		quiet, attack := f.records[0]/f.ns[0]*1e9, f.records[1]/f.ns[1]*1e9
		t.Logf("batches of %s: %.0f records/s in the quiet, %.0f under attack: %.2f", mode, quiet, attack, attack/quiet)
		if long != "" && attack < 0.9*quiet {
			t.Errorf("batches of %s: %.2f of the quiet rate under attack, want 0.9", mode, attack/quiet)
		}
	}
}

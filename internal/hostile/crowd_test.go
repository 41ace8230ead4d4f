//go:build linux && !carousel_portable

package hostile

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// hostileRole joins as a lossy consumer and then, in turns, attacks in its WAY
// or only burns as much processor time.
func hostileRole() (commands, error) {
	a := &attacker{socket: os.Getenv("SOCKET")}
	if err := a.join(); err != nil {
		return nil, err
	}
	way := ways[os.Getenv("WAY")]
	if way == nil {
		return nil, fmt.Errorf("way %q, want one of those known", os.Getenv("WAY"))
	}
	var attacks atomic.Bool
	go func() {
		rng := rand.New(rand.NewPCG(uint64(os.Getpid()), 5))
		for {
			if attacks.Load() {
				way(a, rng)
				continue
			}
			for range 1000 {
				rng.Uint64()
			}
		}
	}()
	return commands{
		"attack": func([]string) string {
			attacks.Store(true)
			if os.Getenv("WAY") != "crowd" || a.undo != nil {
				return answer("", nil)
			}
			_, err := a.sleepers(crowd())
			return answer("", err)
		},
		"rest": func([]string) string {
			attacks.Store(false)
			var errs []error
			for _, fn := range a.undo {
				errs = append(errs, fn())
			}
			a.undo = nil
			return answer("", errors.Join(errs...))
		},
	}, nil
}

// crowd is how many threads sleep on the hostile consumer's bell and on the
// producer's words.
func crowd() int {
	if os.Getenv("CAROUSEL_H1") != "" {
		return 2000
	}
	return 200
}

// ways are a moment of each attack.
var ways = map[string]func(*attacker, *rand.Rand){
	"random": func(a *attacker, rng *rand.Rand) {
		values := []uint64{0, math.MaxUint64, rng.Uint64() >> rng.IntN(64)}
		put64(a.own, 8*rng.IntN(page/8), values[rng.IntN(len(values))])
	},
	"holes": func(a *attacker, rng *rand.Rand) {
		_ = unix.Fallocate(a.slot, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, page)
		put64(a.own, slotGeneration, rng.Uint64())
	},
	"wakes": func(a *attacker, rng *rand.Rand) {
		put32(a.own, slotWaiting, 1)
		_, _ = call(unix.SYS_FUTEX, address(a.view)+4*uintptr(rng.IntN(3*page/4)), futexWake, math.MaxInt32)
		_, _ = call(unix.SYS_FUTEX, address(a.own)+slotBell, futexWake, math.MaxInt32)
	},
	"requeues": func(a *attacker, rng *rand.Rand) {
		to := address(a.own) + slotBell
		_, _ = call(unix.SYS_FUTEX, address(a.view)+4*uintptr(rng.IntN(len(a.view)/4)), futexRequeue, 0, math.MaxInt32, to)
		_, _ = call(unix.SYS_FUTEX, address(a.own)+4*uintptr(rng.IntN(page/4)), futexRequeue, 0, math.MaxInt32, to)
	},
	"crowd": func(a *attacker, _ *rand.Rand) {
		put32(a.own, slotWaiting, 1) // the threads that sleep do so beside this
	},
}

//go:build explore

package ring

import (
	"time"

	"github.com/carousel-ipc/carousel/futex"
)

// A sleeper answers what the engine asks of the kernel (kernel.go).
type sleeper interface {
	Wait(w *uint32, v uint32, d time.Duration) error
	WaitEither(shared *uint32, v uint32, own *uint32, ownV uint32, d time.Duration) error
	CanWaitEither() bool
	Wake(w *uint32)
	WakeOwn(w *uint32)
	Barrier() error
	Sleep(d time.Duration)
}

// kernel is the real one unless a test puts its own here.
var kernel sleeper = realKernel{}

type realKernel struct{}

func (realKernel) Wait(w *uint32, v uint32, d time.Duration) error { return futex.Wait(w, v, d) }

func (realKernel) WaitEither(shared *uint32, v uint32, own *uint32, ownV uint32, d time.Duration) error {
	return futex.WaitEither(shared, v, own, ownV, d)
}
func (realKernel) CanWaitEither() bool   { return futex.CanWaitEither() }
func (realKernel) Wake(w *uint32)        { futex.Wake(w) }
func (realKernel) WakeOwn(w *uint32)     { futex.WakeOwn(w) }
func (realKernel) Barrier() error        { return futex.Barrier() }
func (realKernel) Sleep(d time.Duration) { time.Sleep(d) }

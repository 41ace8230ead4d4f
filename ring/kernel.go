package ring

import (
	"time"

	"github.com/carousel-ipc/carousel/futex"
)

// kernelCalls are what the engine asks for when it may sleep, wake or be
// fenced. It asks through the variable kernel, in whose place the explorer
// puts a schedule (kernel_explore.go); in every other build these calls are
// all there is (kernel_direct.go).
type kernelCalls struct{}

func (kernelCalls) Wait(w *uint32, v uint32, d time.Duration) error { return futex.Wait(w, v, d) }

func (kernelCalls) WaitEither(shared *uint32, v uint32, own *uint32, ownV uint32, d time.Duration) error {
	return futex.WaitEither(shared, v, own, ownV, d)
}
func (kernelCalls) CanWaitEither() bool   { return futex.CanWaitEither() }
func (kernelCalls) Wake(w *uint32)        { futex.WakeOne(w) }
func (kernelCalls) WakeOwn(w *uint32)     { futex.WakeOwn(w) }
func (kernelCalls) Barrier() error        { return futex.Barrier() }
func (kernelCalls) Sleep(d time.Duration) { time.Sleep(d) }

//go:build !explore

package ring

import (
	"time"

	"github.com/carousel-ipc/carousel/futex"
)

// kernel is what the engine asks for when it may sleep, wake or be fenced. The
// explorer puts a schedule in its place (kernel_explore.go).
var kernel kernelCalls

type kernelCalls struct{}

func (kernelCalls) Wait(w *uint32, v uint32, d time.Duration) error { return futex.Wait(w, v, d) }

func (kernelCalls) WaitEither(shared *uint32, v uint32, own *uint32, ownV uint32, d time.Duration) error {
	return futex.WaitEither(shared, v, own, ownV, d)
}
func (kernelCalls) CanWaitEither() bool   { return futex.CanWaitEither() }
func (kernelCalls) Wake(w *uint32)        { futex.Wake(w) }
func (kernelCalls) WakeOwn(w *uint32)     { futex.WakeOwn(w) }
func (kernelCalls) Barrier() error        { return futex.Barrier() }
func (kernelCalls) Sleep(d time.Duration) { time.Sleep(d) }

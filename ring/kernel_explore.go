//go:build explore

package ring

import "time"

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
var kernel sleeper = kernelCalls{}

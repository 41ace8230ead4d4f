package futex

import (
	"sync"
	"sync/atomic"
	"time"
)

// Register asks the kernel to let other processes fence this one. It reports
// whether that was granted: from then on [Barrier], called by any process, is
// a full memory barrier for every running thread of this process.
//
// The first call takes about 10 ms, further ones return what the first one
// found. Where the kernel takes longer, which on a crowded machine may be
// seconds, this gives up after two: calls say false until it has answered.
// There is no way back, short of exec. Any process of any user can
// issue barriers, and in a loop they slow a registered process down: register
// only where those who know of it are trusted.
func Register() bool {
	return !limits.noMembarrier.Load() && register()
}

// Registered reports whether [Register] was called and granted. It costs a few
// loads and no system call.
func Registered() bool {
	return !limits.noMembarrier.Load() && registration.granted.Load()
}

// registerPatience is how long to wait for what the kernel waits for: that every
// processor has been seen outside of a read of its own tables. Somebody of low
// priority who has lost his processor within one keeps all waiting.
const registerPatience = 2 * time.Second

// register asks once in the life of the process.
func register() bool {
	registration.once.Do(func() {
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			registration.granted.Store(registerGlobal())
		}()
		t := time.NewTimer(registerPatience)
		defer t.Stop()
		select {
		case <-answered:
		case <-t.C:
		}
	})
	return registration.granted.Load()
}

// Barrier returns nil when every running thread of every registered process,
// and the caller, has passed a full memory barrier since the call began. It
// interrupts the processors on which such threads run.
//
// The error names what the kernel said when it refuses, wrapping ENOSYS, EPERM
// or EINVAL, or [errors.ErrUnsupported] where the system knows no such thing.
func Barrier() error {
	if limits.noMembarrier.Load() {
		return errRestricted
	}
	return barrierGlobal()
}

// registration is the answer to the one registration this process asks for.
var registration struct {
	once    sync.Once
	granted atomic.Bool
}

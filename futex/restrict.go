package futex

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// limits is what Restrict forbids at present.
var limits struct {
	noWaitV, noMembarrier atomic.Bool
}

// errRestricted is what a forbidden call returns: what a kernel says that
// does not have it.
var errRestricted = fmt.Errorf("futex: forbidden by Restrict: %w", errors.ErrUnsupported)

// Restrict makes this package behave, in this process, as on a kernel that has
// no wait on two words, or no membarrier, or neither. It is for tests of what
// callers fall back to. restore puts back what was in force before.
//
// A registration that was granted earlier is not taken back by the kernel: it
// is only hidden.
func Restrict(noWaitV, noMembarrier bool) (restore func()) {
	v := limits.noWaitV.Swap(noWaitV)
	m := limits.noMembarrier.Swap(noMembarrier)
	return func() {
		limits.noWaitV.Store(v)
		limits.noMembarrier.Store(m)
	}
}

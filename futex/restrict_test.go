package futex_test

import (
	"errors"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/futex"
)

func TestRestrictWaitEither(t *testing.T) {
	had := futex.CanWaitEither()
	restore := futex.Restrict(true, false)
	if futex.CanWaitEither() {
		t.Error("CanWaitEither is true though forbidden")
	}
	var a, b uint32
	if err := futex.WaitEither(&a, 1, &b, 1, time.Second); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("WaitEither: found %v, wanted errors.ErrUnsupported", err)
	}
	restore()
	if futex.CanWaitEither() != had {
		t.Errorf("CanWaitEither is %v after restore, was %v", !had, had)
	}
}

func TestRestrictMembarrier(t *testing.T) {
	had := futex.Registered()
	outer := futex.Restrict(false, true)
	inner := futex.Restrict(true, true)
	inner()
	if futex.Register() || futex.Registered() {
		t.Error("registered though forbidden")
	}
	if err := futex.Barrier(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Barrier: found %v, wanted errors.ErrUnsupported", err)
	}
	outer()
	if futex.Registered() != had {
		t.Errorf("Registered is %v after restore, was %v", !had, had)
	}
}

package futex_test

import (
	"errors"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/futex"
)

func TestRegister(t *testing.T) {
	begin := time.Now()
	granted := futex.Register()
	t.Logf("granted %v after %v", granted, time.Since(begin))
	if granted && !(futex.Registered() && futex.Register()) {
		t.Error("what Register has granted it takes back")
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("took %v, whatever the kernel waits for", took)
	}
	err := futex.Barrier()
	switch {
	case granted && err != nil:
		t.Errorf("registered, and Barrier: %v", err)
	case err != nil && !errors.Is(err, errors.ErrUnsupported):
		t.Logf("refused: %v", err)
	}
}

func BenchmarkBarrier(b *testing.B) {
	if err := futex.Barrier(); err != nil {
		b.Skip("SKIP: membarrier is refused: ", err)
	}
	for b.Loop() {
		_ = futex.Barrier()
	}
}

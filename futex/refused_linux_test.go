//go:build linux && !carousel_portable

package futex_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/internal/seccomp"
)

// TestRefusedMeanwhile has a child put a filter on itself when both calls have
// been granted to it.
func TestRefusedMeanwhile(t *testing.T) {
	if os.Getenv("FUTEX_TEST_REFUSED") != "" {
		if err := refusedMeanwhile(); err != nil {
			t.Error(err)
		}
		return
	}
	if !futex.CanWaitEither() {
		t.Skip("SKIP: this kernel does not wait on two words")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "FUTEX_TEST_REFUSED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func refusedMeanwhile() error {
	if !futex.CanWaitEither() || !futex.Register() {
		return errors.New("wanted both granted before the filter, found a refusal")
	}
	if err := seccomp.Install(seccomp.Refuse(unix.EPERM, unix.SYS_FUTEX_WAITV, unix.SYS_MEMBARRIER)); err != nil {
		return err
	}
	if err := futex.WaitEither(new(uint32), 0, new(uint32), 0, time.Hour); !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("wait on two words: found %v, wanted EPERM", err)
	}
	if futex.CanWaitEither() {
		return errors.New("CanWaitEither: wanted false after a refusal, found true")
	}
	if err := futex.Barrier(); !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("barrier: found %v, wanted EPERM", err)
	}
	return nil
}

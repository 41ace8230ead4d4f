package futex_test

import (
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/futex"
)

// TestWakeAcrossMappings sleeps on a word in a mapping that is read-only and
// wakes through another mapping of the same file, as two processes do.
func TestWakeAcrossMappings(t *testing.T) {
	fd, err := unix.MemfdCreate("futex-test", unix.MFD_CLOEXEC)
	if err != nil {
		t.Skip("SKIP: no memory without a name: ", err)
	}
	defer unix.Close(fd)
	const size = 4096
	if err := unix.Ftruncate(fd, size); err != nil {
		t.Fatal(err)
	}
	mine := mapWord(t, fd, size, unix.PROT_READ|unix.PROT_WRITE)
	theirs := mapWord(t, fd, size, unix.PROT_READ)

	waits := map[string]func(val uint32) error{
		"Wait": func(val uint32) error { return futex.Wait(theirs, val, enough) },
	}
	if futex.CanWaitEither() {
		own := new(uint32)
		waits["WaitEither"] = func(val uint32) error { return futex.WaitEither(theirs, val, own, 0, enough) }
	}
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			old := atomic.LoadUint32(mine)
			done := make(chan error)
			go func() {
				var err error
				for err == nil && atomic.LoadUint32(theirs) == old {
					err = wait(old)
				}
				done <- err
			}()
			time.Sleep(20 * time.Millisecond)
			atomic.AddUint32(mine, 1)
			futex.Wake(mine)
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func mapWord(t *testing.T, fd, size, prot int) *uint32 {
	t.Helper()
	b, err := unix.Mmap(fd, 0, size, prot, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(b) })
	return (*uint32)(unsafe.Pointer(unsafe.SliceData(b)))
}

package shm_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/shm"
)

// wantNotInherited looks at what a process has open and mapped. The exec that
// closes things may be under way still.
func wantNotInherited(t *testing.T, pid int, path string) {
	t.Helper()
	eventually(t, "a child without the file", func() bool {
		dir := "/proc/" + strconv.Itoa(pid)
		maps, err := os.ReadFile(dir + "/maps")
		if err != nil {
			t.Fatal(err)
		}
		return !bytes.Contains(maps, []byte(path)) && !slicesContain(descriptors(t, dir), path)
	})
}

func slicesContain(all []string, part string) bool {
	for _, s := range all {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

// descriptors lists what the descriptors in a folder of /proc lead to.
func descriptors(t *testing.T, dir string) (to []string) {
	t.Helper()
	entries, err := os.ReadDir(dir + "/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name, err := os.Readlink(dir + "/fd/" + e.Name()); err == nil {
			to = append(to, name)
		}
	}
	return to
}

// TestNothingIsLeft goes through everything once and counts descriptors and
// goroutines before and after.
func TestNothingIsLeft(t *testing.T) {
	once := func() {
		dir := t.TempDir()
		f := publishAs(t, dir+"/segment", 4096)
		defer f.Close()
		r, err := f.Map(shm.ReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Unmap()
		stop := f.Watch(func() {})
		l, err := f.TryLock(1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.TryLock(1); !errors.Is(err, shm.ErrLocked) {
			t.Error(err)
		}
		_ = l.Unlock()
		_, _ = f.Held(1)
		if _, err := shm.Open(dir, shm.ReadOnly); err == nil {
			t.Error("opened a folder")
		}
		stop()
	}
	once() // has the runtime open its poller
	fds, routines := len(descriptors(t, "/proc/self")), runtime.NumGoroutine()
	for range 10 {
		once()
	}
	if now := descriptors(t, "/proc/self"); len(now) != fds {
		t.Errorf("%d descriptors before, now %q", fds, now)
	}
	eventually(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= routines })
}

// TestFullTmpfs fills a tmpfs of 1 MiB in a mount namespace of its own.
func TestFullTmpfs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIP: needs root, to mount")
	}
	runChild(t, "full", &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}, t.TempDir())
}

func childFillsTmpfs(args []string) int {
	dir := args[0]
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fail(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		return fail(err)
	}
	path := filepath.Join(dir, "segment")
	_, err := shm.Create(path, 2<<20, 0o600)
	if !errors.Is(err, shm.ErrNoSpace) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "wanted 2097152 bytes, found 1048576 bytes free") {
		return fail(fmt.Errorf("2 MiB in 1 MiB: %w", err))
	}
	fmt.Println(err)
	// Two at once get by the look beforehand, and one of them fails later.
	for range 50 {
		if err := createTwo(dir, 600<<10); err != nil {
			return fail(err)
		}
	}
	f, err := shm.Create(path, 1<<20, 0o600)
	if err != nil {
		return fail(err)
	}
	r, err := f.Map(shm.ReadWrite)
	if err != nil {
		return fail(err)
	}
	for i := range r.Bytes() {
		r.Bytes()[i] = 1
	}
	if _, err := shm.Create(path, 4096, 0o600); !errors.Is(err, shm.ErrNoSpace) {
		return fail(fmt.Errorf("one page more: %w", err))
	}
	_ = r.Unmap()
	_ = f.Close()
	if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
		return fail(fmt.Errorf("left %v, %w", left, err))
	}
	return 0
}

func createTwo(dir string, size int64) error {
	var files [2]*shm.File
	var errs [2]error
	var both sync.WaitGroup
	for i := range files {
		both.Go(func() { files[i], errs[i] = shm.Create(filepath.Join(dir, strconv.Itoa(i)), size, 0o600) })
	}
	both.Wait()
	for i := range files {
		if errs[i] == nil {
			_ = files[i].Close()
		} else if !errors.Is(errs[i], shm.ErrNoSpace) {
			return errs[i]
		}
	}
	if errs[0] == nil && errs[1] == nil {
		return errors.New("both found room")
	}
	return nil
}

// TestFileSizeLimit creates beyond RLIMIT_FSIZE, where the kernel would kill.
func TestFileSizeLimit(t *testing.T) {
	runChild(t, "fsiz", nil, t.TempDir())
}

func childIsLimited(args []string) int {
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 8192, Max: 8192}); err != nil {
		return fail(err)
	}
	_, err := shm.Create(filepath.Join(args[0], "segment"), 8193, 0o600)
	if !errors.Is(err, shm.ErrTooLarge) || !errors.Is(err, syscall.EFBIG) {
		return fail(fmt.Errorf("beyond the limit: %w", err))
	}
	f, err := shm.Create(filepath.Join(args[0], "segment"), 8192, 0o600)
	if err != nil {
		return fail(err)
	}
	_ = f.Close()
	return 0
}

func fail(err error) int {
	fmt.Println(err)
	return 1
}

// runChild runs a part to its end, which must be a good one.
func runChild(t *testing.T, part string, attr *syscall.SysProcAttr, args ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), childVar+"="+part)
	cmd.SysProcAttr = attr
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		t.Skipf("SKIP: may not have a mount namespace: %v", err)
	}
	t.Logf("%v: %s", time.Since(begin), out)
	if err != nil {
		t.Error(err)
	}
}

//go:build linux && !carousel_portable

package shm_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/shm"
)

func sealed(t *testing.T, size int64, s shm.Seals) (*shm.File, *shm.Region) {
	t.Helper()
	f, err := shm.CreateMemfd("carousel-test", size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	r, err := f.Map(shm.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Unmap() })
	if err := f.Seal(s); err != nil {
		t.Fatal(err)
	}
	return f, r
}

// socketPair is a connection of this process with itself.
func socketPair(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "socket")
		c, err := net.FileConn(file)
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		ends[i] = c.(*net.UnixConn)
	}
	return ends[0], ends[1]
}

func handOver(t *testing.T, f *shm.File) *os.File {
	t.Helper()
	a, b := socketPair(t)
	if err := shm.Send(a, []byte("x"), f); err != nil {
		t.Fatal(err)
	}
	n, files, err := shm.Receive(b, make([]byte, 10), 1)
	if n != 1 || len(files) != 1 || err != nil {
		t.Fatalf("got %d bytes, %d files, %v", n, len(files), err)
	}
	if flags, err := unix.FcntlInt(files[0].Fd(), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("children inherit what was received: flags %#x, %v", flags, err)
	}
	t.Cleanup(func() { _ = files[0].Close() })
	return files[0]
}

func open2(path string, flag int) error {
	fd, err := unix.Open(path, flag|unix.O_CLOEXEC, 0)
	if err == nil {
		_, err = unix.Pwrite(fd, []byte("x"), 0)
		unix.Close(fd)
	}
	return err
}

// Whoever was handed memory sealed for readers can read what its maker writes,
// and change nothing, root included.
func TestSealedForReadersCannotBeWritten(t *testing.T) {
	const size = 8192
	f, mine := sealed(t, size, shm.SealedForReaders)
	file := handOver(t, f)
	fd := int(file.Fd())
	proc := fmt.Sprintf("/proc/self/fd/%d", fd)
	mapped := func(prot int) error {
		b, err := unix.Mmap(fd, 0, size, prot, unix.MAP_SHARED)
		if err == nil {
			err = unix.Munmap(b)
		}
		return err
	}
	for _, try := range []struct {
		name string
		do   func() error
	}{
		{"mmap for writing", func() error { return mapped(unix.PROT_READ | unix.PROT_WRITE) }},
		{"pwrite", func() error { _, err := unix.Pwrite(fd, []byte("x"), 0); return err }},
		{"ftruncate down", func() error { return unix.Ftruncate(fd, 100) }},
		{"ftruncate up", func() error { return unix.Ftruncate(fd, 2*size) }},
		{"fallocate more", func() error { return unix.Fallocate(fd, 0, size, size) }},
		{"punch a hole", func() error {
			return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 4096)
		}},
		{"more seals", func() error { _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE); return err }},
		{"write through /proc/self/fd", func() error { return open2(proc, unix.O_RDWR) }},
		{"truncate through /proc/self/fd", func() error { return open2(proc, unix.O_RDWR|unix.O_TRUNC) }},
		{"mprotect", func() error {
			b, err := unix.Mmap(fd, 0, size, unix.PROT_READ, unix.MAP_SHARED)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Munmap(b)
			return unix.Mprotect(b, unix.PROT_READ|unix.PROT_WRITE)
		}},
	} {
		if err := try.do(); err == nil {
			t.Errorf("%s: allowed, want it refused", try.name)
		} else {
			t.Logf("%s: %v", try.name, err)
		}
	}
	theirs, err := shm.OpenMemfd(file, size, shm.SealedForReaders, shm.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.Map(shm.ReadWrite); err == nil {
		t.Error("mapped for writing what was opened for reading")
	}
	r, err := theirs.Map(shm.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Unmap()
	copy(mine.Bytes(), "its maker writes")
	if got := string(r.Bytes()[:16]); got != "its maker writes" {
		t.Errorf("found %q", got)
	}
	if info, err := file.Stat(); err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("mode %v, %v; want 0400", info.Mode(), err)
	}
}

// A page of a consumer's own may be written, and never vanishes under anybody.
func TestSealedForWritersKeepsItsSize(t *testing.T) {
	f, mine := sealed(t, 4096, shm.SealedForWriters)
	file := handOver(t, f)
	fd := int(file.Fd())
	for _, size := range []int64{0, 100, 8192} {
		if err := unix.Ftruncate(fd, size); !errors.Is(err, unix.EPERM) {
			t.Errorf("ftruncate to %d: got %v, want EPERM", size, err)
		}
	}
	if _, err := unix.Pwrite(fd, []byte("mine"), 0); err != nil || string(mine.Bytes()[:4]) != "mine" {
		t.Errorf("found %q, %v", mine.Bytes()[:4], err)
	}
	// A hole is zeros, which are a lawful thing to write.
	if err := unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 4096); err != nil || mine.Bytes()[0] != 0 {
		t.Errorf("a hole: %v", err)
	}
}

func TestMemoryThatIsNotAsWantedIsRefused(t *testing.T) {
	dir := t.TempDir()
	plain, err := os.Create(filepath.Join(dir, "plain"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	pipe, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer w.Close()
	tmpfs, err := os.CreateTemp("/dev/shm", "carousel-test-memfd-")
	if err != nil {
		t.Fatal(err)
	}
	defer tmpfs.Close()
	os.Remove(tmpfs.Name())
	folder, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	unsealed, _ := sealed(t, 4096, 0)
	shrinks, _ := sealed(t, 4096, shm.SealGrow|shm.SealFutureWrite|shm.SealSeal)
	larger, _ := sealed(t, 8192, shm.SealedForReaders)
	for _, tc := range []struct {
		name, says string
		file       *os.File
	}{
		{"file on a disk", "a memfd with seals SEAL|SHRINK|GROW|FUTURE_WRITE", plain},
		{"file on tmpfs", "seals SEAL|SHRINK|GROW|FUTURE_WRITE, found SEAL", tmpfs},
		{"pipe", "found what cannot have any", pipe},
		{"folder", "found what cannot have any", folder},
		{"unsealed", "found none", handOver(t, unsealed)},
		{"may shrink", "found SEAL|GROW|FUTURE_WRITE", handOver(t, shrinks)},
		{"larger", "wanted a file of 4096 bytes, found 8192 bytes", handOver(t, larger)},
	} {
		f, err := shm.OpenMemfd(tc.file, 4096, shm.SealedForReaders, shm.ReadOnly)
		if !errors.Is(err, shm.ErrSeals) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: got %v, want ErrSeals that says %q", tc.name, err, tc.says)
		}
		if err == nil {
			f.Close()
		}
		if _, err := tc.file.Stat(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: was not closed", tc.name)
		}
	}
}

func TestWrongNumbersOfDescriptorsAreRefusedAndClosed(t *testing.T) {
	f, _ := sealed(t, 4096, shm.SealedForWriters)
	most := 40
	if text, err := os.ReadFile(os.Args[0]); err == nil && strings.HasPrefix(string(text), "#!") {
		most = 8 // an emulator forgets those that it cannot hand on
	}
	for want := range 3 {
		for sent := range most {
			before := descriptorsOpen(t)
			a, b := socketPair(t)
			files := make([]*shm.File, sent)
			for i := range files {
				files[i] = f
			}
			if err := shm.Send(a, []byte("message"), files...); err != nil {
				t.Fatal(err)
			}
			n, got, err := shm.Receive(b, make([]byte, 7), want)
			switch {
			case n != 7:
				t.Errorf("%d sent, %d wanted: %d bytes, want 7", sent, want, n)
			case sent == want || sent == 0:
				if len(got) != sent || err != nil {
					t.Errorf("%d sent, %d wanted: got %d, %v", sent, want, len(got), err)
				}
			case len(got) != 0 || !errors.Is(err, shm.ErrSeals) || !strings.Contains(err.Error(), fmt.Sprintf("wanted %d descriptors", want)):
				t.Errorf("%d sent, %d wanted: got %d, %v", sent, want, len(got), err)
			}
			for _, g := range got {
				g.Close()
			}
			a.Close()
			b.Close()
			if now := descriptorsOpen(t); now != before {
				t.Fatalf("%d sent, %d wanted: %d descriptors open, want %d", sent, want, now, before)
			}
		}
	}
}

func descriptorsOpen(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// Overlay puts memory in place of a part, until the region is given up.
func TestOverlay(t *testing.T) {
	r, err := shm.Reserve(3 * 4096)
	if err != nil {
		t.Fatal(err)
	}
	b := r.Bytes()
	one, mine := sealed(t, 4096, shm.SealedForWriters)
	two, yours := sealed(t, 4096, shm.SealedForWriters)
	b[0], b[8192] = 'a', 'c'
	if err := r.Overlay(4096, one, shm.ReadWrite); err != nil {
		t.Fatal(err)
	}
	b[4096] = '1'
	if err := r.Overlay(4096, two, shm.ReadWrite); err != nil {
		t.Fatal(err)
	}
	b[4096] = '2'
	if b[0] != 'a' || b[8192] != 'c' || mine.Bytes()[0] != '1' || yours.Bytes()[0] != '2' {
		t.Errorf("found %q %q %q %q", b[0], b[8192], mine.Bytes()[0], yours.Bytes()[0])
	}
	for _, off := range []int{-4096, 100, 3 * 4096, 1 << 30} {
		if err := r.Overlay(off, one, shm.ReadWrite); err == nil {
			t.Errorf("laid at %d", off)
		}
	}
	if err := r.Blank(); err != nil {
		t.Fatal(err)
	}
	if err := r.Overlay(4096, two, shm.ReadWrite); err != nil || b[4096] != 0 {
		t.Errorf("after Blank: %v, found %q, want zeros", err, b[4096])
	}
	if err := r.Unmap(); err != nil {
		t.Fatal(err)
	}
	if err := r.Overlay(4096, two, shm.ReadWrite); err != nil {
		t.Error(err)
	}
}

func TestLockDir(t *testing.T) {
	dir := t.TempDir()
	unlock, err := shm.LockDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shm.LockDir(dir, 0); !errors.Is(err, shm.ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	unlock, err = shm.LockDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = unlock()
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("remain %v", left)
	}
}

func TestPeerUser(t *testing.T) {
	a, _ := socketPair(t)
	if user, err := shm.PeerUser(a); err != nil || user != uint32(os.Geteuid()) {
		t.Errorf("found %d, %v", user, err)
	}
}

// A ring may end while it is being handed over.
func TestClosedMemoryIsNotHandedOver(t *testing.T) {
	c, other, err := shm.Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	defer other.Close()
	f, err := shm.CreateMemfd("shm-test", 4096)
	if err != nil {
		t.Fatal(err)
	}
	open, err := shm.CreateMemfd("shm-test", 4096)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, files := range [][]*shm.File{{f}, {f, open}, {open, f}} {
		if err := shm.Send(c, []byte("offer"), files...); err == nil || !strings.Contains(err.Error(), "closed file") {
			t.Errorf("found %v, wanted an error that names a closed file", err)
		}
	}
}

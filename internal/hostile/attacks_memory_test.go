//go:build linux && !carousel_portable

package hostile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// By way of the mapping of the broadcast segment that a consumer may have.
var memoryAttempts = []attempt{
	{"map", "map the broadcast memory for writing", none, func(a *attacker) (string, error) {
		b, err := unix.Mmap(a.ring, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			return "", err
		}
		copy(b, mark)
		return "written", unix.Munmap(b)
	}},
	{"map-exec", "map it for writing and executing", none, func(a *attacker) (string, error) {
		b, err := unix.Mmap(a.ring, 0, page, unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_SHARED)
		if err != nil {
			return "", err
		}
		return "mapped", unix.Munmap(b)
	}},
	{"mprotect", "mprotect the mapping for reading to writing", none, func(a *attacker) (string, error) {
		if err := unix.Mprotect(a.view, unix.PROT_READ|unix.PROT_WRITE); err != nil {
			return "", err
		}
		copy(a.view, mark)
		return "written", nil
	}},
	{"pkey-mprotect", "the same with a protection key", none, func(a *attacker) (string, error) {
		return result(call(unix.SYS_PKEY_MPROTECT, address(a.view), page, unix.PROT_READ|unix.PROT_WRITE, ^uintptr(0)))
	}},
	{"store", "store to the mapping for reading", none, func(a *attacker) (string, error) {
		copy(a.view, mark)
		return "written", nil
	}},
	{"private", "map it private, and write there", none, func(a *attacker) (string, error) {
		b, err := unix.Mmap(a.ring, 0, len(a.view), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
		if err != nil {
			return "", err
		}
		for at := 0; at < len(b); at += page {
			copy(b[at:], mark)
		}
		return "a copy of its own written", unix.Munmap(b)
	}},
	{"mremap", "mremap the mapping to twice its size", none, func(a *attacker) (string, error) {
		b, err := unix.Mmap(a.ring, 0, page, unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			return "", err
		}
		if b, err = unix.Mremap(b, 2*len(a.view), unix.MREMAP_MAYMOVE); err != nil {
			return "", err
		}
		a.later(func() error { return unix.Munmap(b) })
		copy(b[len(a.view):], mark)
		return "written behind the end", nil
	}},
	{"remap-file-pages", "remap_file_pages other pages into it", none, func(a *attacker) (string, error) {
		b, err := unix.Mmap(a.ring, 0, 2*page, unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			return "", err
		}
		defer unix.Munmap(b)
		if _, err := call(unix.SYS_REMAP_FILE_PAGES, address(b), page, 0, 1, 0); err != nil {
			return "", err
		}
		copy(b, mark)
		return "written", nil
	}},
	{"madv-remove", "madvise(MADV_REMOVE): punch a hole through the mapping", none, func(a *attacker) (string, error) {
		return did("removed", unix.Madvise(a.view, unix.MADV_REMOVE))
	}},
	{"madv-dontneed", "madvise(MADV_DONTNEED, COLD, PAGEOUT): have the pages dropped", none, func(a *attacker) (string, error) {
		return did("dropped from its own mapping", errors.Join(unix.Madvise(a.view, unix.MADV_DONTNEED),
			unix.Madvise(a.view, unix.MADV_COLD), unix.Madvise(a.view, unix.MADV_PAGEOUT)))
	}},
	{"madv-populate", "madvise(MADV_POPULATE_WRITE): have the pages made writable", none, func(a *attacker) (string, error) {
		return did("populated", unix.Madvise(a.view, unix.MADV_POPULATE_WRITE))
	}},
	{"mlock", "mlock the mapping", none, func(a *attacker) (string, error) {
		a.later(func() error { return unix.Munlock(a.view) })
		return did("locked", unix.Mlock(a.view))
	}},
	{"self-mem", "a forced write by /proc/self/mem to its own mapping", none, func(a *attacker) (string, error) {
		f, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
		if err != nil {
			return "", err
		}
		defer f.Close()
		return result(f.WriteAt(mark, int64(address(a.view))))
	}},
	{"self-writev", "process_vm_writev to its own mapping", none, func(a *attacker) (string, error) {
		return a.pokeProcess(os.Getpid(), address(a.view))
	}},
	{"read-into", "have read(2) store to the mapping", none, func(a *attacker) (string, error) {
		f, err := os.Open("/proc/self/status")
		if err != nil {
			return "", err
		}
		defer f.Close()
		return result(unix.Read(int(f.Fd()), a.view[:page]))
	}},
	{"getrandom-into", "have getrandom(2) store to the mapping", none, func(a *attacker) (string, error) {
		return result(call(unix.SYS_GETRANDOM, address(a.view), page, 0))
	}},
	{"clear-tid", "have the kernel clear a word of it when a thread ends (set_tid_address)", none, func(a *attacker) (string, error) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread() // it ends with the goroutine
			_, _ = call(unix.SYS_SET_TID_ADDRESS, address(a.view))
		}()
		<-done
		return "the thread has ended", nil
	}},
	{"userfaultfd", "register the mapping with userfaultfd, to fill it", none, func(a *attacker) (string, error) {
		return a.userfault()
	}},
	{"uring-buffer", "register the mapping as a buffer that io_uring reads into", none, func(a *attacker) (string, error) {
		fd, err := a.uring()
		if err != nil {
			return "", err
		}
		defer unix.Close(fd)
		binary.NativeEndian.PutUint64(a.scratch[512:], uint64(address(a.view)))
		binary.NativeEndian.PutUint64(a.scratch[520:], page)
		const registerBuffers = 0
		return result(call(unix.SYS_IO_URING_REGISTER, uintptr(fd), registerBuffers, address(a.scratch)+512, 1))
	}},
}

// pokeProcess writes into the memory of a process.
func (a *attacker) pokeProcess(pid int, at uintptr) (string, error) {
	copy(a.scratch, mark)
	local := []unix.Iovec{{Base: &a.scratch[0]}}
	local[0].SetLen(len(mark))
	return result(unix.ProcessVMWritev(pid, local, []unix.RemoteIovec{{Base: at, Len: len(mark)}}, 0))
}

// userfault asks for a descriptor by which missing pages of the mapping would
// be filled by this process.
func (a *attacker) userfault() (string, error) {
	const (
		userModeOnly = 1
		apiIoctl     = 0xc018aa3f // UFFDIO_API
		register     = 0xc020aa00 // UFFDIO_REGISTER
		api          = 0xaa
		missing      = 1
	)
	fd, err := call(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|userModeOnly)
	if err != nil {
		return "", fmt.Errorf("userfaultfd: %w", err)
	}
	defer unix.Close(fd)
	clear(a.scratch[:64])
	binary.NativeEndian.PutUint64(a.scratch, api)
	if _, err := call(unix.SYS_IOCTL, uintptr(fd), apiIoctl, address(a.scratch)); err != nil {
		return "", fmt.Errorf("UFFDIO_API: %w", err)
	}
	clear(a.scratch[:64])
	binary.NativeEndian.PutUint64(a.scratch, uint64(address(a.view)))
	binary.NativeEndian.PutUint64(a.scratch[8:], uint64(len(a.view)))
	binary.NativeEndian.PutUint64(a.scratch[16:], missing)
	if _, err := call(unix.SYS_IOCTL, uintptr(fd), register, address(a.scratch)); err != nil {
		return "", fmt.Errorf("UFFDIO_REGISTER: %w", err)
	}
	return "registered", nil
}

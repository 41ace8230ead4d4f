//go:build linux && !carousel_portable

package shm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// CanSeal tells whether this system has memory that can be sealed.
const CanSeal = true

// CreateMemfd makes a file of exactly size zero bytes that has no name and
// never gets one, with all its storage. name is for people who look at
// /proc/PID/maps. The file is gone with its last descriptor and mapping.
func CreateMemfd(name string, size int64) (*File, error) {
	path := "memfd:" + name
	if size <= 0 {
		return nil, fmt.Errorf("shm: create %s: wanted at least 1 byte, found size %d: %w", path, size, fs.ErrInvalid)
	}
	if most := fileSizeLimit(); uint64(size) > most {
		return nil, fmt.Errorf("shm: create %s: %w: wanted %d bytes, found RLIMIT_FSIZE %d: %w", path, ErrTooLarge, size, most, syscall.EFBIG)
	}
	if err := fitsMemory(path, size); err != nil {
		return nil, err
	}
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // kernels before 6.3
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return nil, fmt.Errorf("shm: create %s: %w", path, os.NewSyscallError("memfd_create", err))
	}
	file := os.NewFile(uintptr(fd), path)
	if err := allocate(file, size); err != nil {
		_ = file.Close()
		if isNoSpace(err) {
			return nil, noSpace(path, size, unknownSpace, err)
		}
		return nil, fmt.Errorf("shm: create %s: allocate %d bytes: %w", path, size, err)
	}
	return memfd(file, size, ReadWrite)
}

// memfd makes a File of an open memfd, which it takes over.
func memfd(file *os.File, size int64, a Access) (*File, error) {
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("shm: %s: %w", file.Name(), err)
	}
	return &File{path: file.Name(), file: file, info: info, size: size, access: a}, nil
}

// Seal adds seals to a memfd. With SealFutureWrite among them the file also
// becomes unreadable to other users who come by way of /proc: what they are
// handed is all they get.
func (f *File) Seal(s Seals) error {
	return control(f.file, func(fd int) error {
		if s&SealFutureWrite != 0 {
			if err := unix.Fchmod(fd, 0o400); err != nil {
				return fmt.Errorf("shm: set mode 0400 of %s: %w", f.path, err)
			}
		}
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, int(s.kernel())); err != nil {
			return fmt.Errorf("shm: seal %s %v: %w", f.path, s, err)
		}
		return nil
	})
}

// OpenMemfd makes a File of a descriptor that somebody handed over, if it is a
// memfd with at least the seals s and of exactly size bytes: nothing that its
// giver, or anybody, can do afterwards makes a mapping of it fault. It takes
// file over, and discards it when it refuses; such errors wrap [ErrSeals].
func OpenMemfd(file *os.File, size int64, s Seals, a Access) (*File, error) {
	if err := checkMemfd(file, size, s); err != nil {
		Discard(file)
		return nil, fmt.Errorf("shm: %s: %w", file.Name(), err)
	}
	return memfd(file, size, a)
}

// checkMemfd asks for the seals before anything else: they alone are sure to
// be told at once, whatever was handed over.
func checkMemfd(file *os.File, size int64, want Seals) error {
	var seals int
	err := control(file, func(fd int) (err error) {
		seals, err = unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
		return err
	})
	if err != nil {
		return wrongMemory(fmt.Sprint("a memfd with seals ", want), fmt.Sprintf("what cannot have any (%v)", err))
	}
	if found := sealsOf(seals); found&want != want {
		return wrongMemory(fmt.Sprint("seals ", want), found.String())
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() != size {
		return wrongMemory(fmt.Sprintf("a file of %d bytes", size), fmt.Sprintf("%d bytes, mode %v", info.Size(), info.Mode()))
	}
	return nil
}

var kernelSeals = [...]int{unix.F_SEAL_SEAL, unix.F_SEAL_SHRINK, unix.F_SEAL_GROW, unix.F_SEAL_WRITE, unix.F_SEAL_FUTURE_WRITE}

func (s Seals) kernel() (bits int) {
	for i, bit := range kernelSeals {
		if s&(1<<i) != 0 {
			bits |= bit
		}
	}
	return bits
}

func sealsOf(bits int) (s Seals) {
	for i, bit := range kernelSeals {
		if bits&bit != 0 {
			s |= 1 << i
		}
	}
	return s
}

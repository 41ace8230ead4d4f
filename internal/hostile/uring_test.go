//go:build linux && !carousel_portable

package hostile

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// As little of io_uring as one write takes. Offsets are those of struct
// io_uring_params, io_uring_sqe and io_uring_cqe.

func (a *attacker) uring() (fd int, err error) {
	clear(a.scratch[:page])
	if fd, err = call(unix.SYS_IO_URING_SETUP, 1, address(a.scratch)); err != nil {
		return -1, fmt.Errorf("io_uring_setup: %w", err)
	}
	return fd, nil
}

// uringWrite submits one write to a file and returns its result.
func (a *attacker) uringWrite(to int) (string, error) {
	const (
		sqRing, cqRing, sqes = 0, 0x8000000, 0x10000000
		opWrite              = 23
		getEvents            = 1
	)
	fd, err := a.uring()
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	params := func(off int) int { return int(binary.NativeEndian.Uint32(a.scratch[off:])) }
	sqTail, sqArray, cqEntries := params(44), params(64), params(100)
	var maps [3][]byte
	for i, off := range []int64{sqRing, cqRing, sqes} {
		if maps[i], err = unix.Mmap(fd, off, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
			return "", fmt.Errorf("mapping the rings: %w", err)
		}
		defer unix.Munmap(maps[i])
	}
	entry := maps[2]
	copy(a.scratch[512:], mark)
	entry[0] = opWrite
	binary.NativeEndian.PutUint32(entry[4:], uint32(to))
	binary.NativeEndian.PutUint64(entry[8:], producerWords)
	binary.NativeEndian.PutUint64(entry[16:], uint64(address(a.scratch))+512)
	binary.NativeEndian.PutUint32(entry[24:], uint32(len(mark)))
	put32(maps[0], sqArray, 0)
	put32(maps[0], sqTail, 1)
	if _, err := call(unix.SYS_IO_URING_ENTER, uintptr(fd), 1, 1, getEvents); err != nil {
		return "", fmt.Errorf("io_uring_enter: %w", err)
	}
	if res := int32(get32(maps[1], cqEntries+8)); res < 0 {
		return "", unix.Errno(-res)
	} else {
		return result(int(res), nil)
	}
}

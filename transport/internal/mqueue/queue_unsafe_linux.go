package mqueue

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// attributes are struct mq_attr: all of them longs, as int is.
type attributes struct {
	flags, messages, bytes, queued int
	_                              [4]int
}

func sysOpen(name string, flag int, perm uint32, a *attributes) (int, error) {
	p, err := unix.BytePtrFromString(name)
	if err != nil {
		return -1, err
	}
	fd, _, errno := unix.Syscall6(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(p)), uintptr(flag), uintptr(perm), uintptr(unsafe.Pointer(a)), 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

func sysUnlink(name string) error {
	p, err := unix.BytePtrFromString(name)
	if err != nil {
		return err
	}
	return failed(unix.Syscall(unix.SYS_MQ_UNLINK, uintptr(unsafe.Pointer(p)), 0, 0))
}

// The descriptors are non-blocking, so that no time is ever passed and raw calls
// will do.
func sysSend(fd uintptr, b []byte, priority uint) error {
	return failed(unix.RawSyscall6(unix.SYS_MQ_TIMEDSEND, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(priority), 0, 0))
}

func sysReceive(fd uintptr, b []byte) (n int, priority uint32, err error) {
	r, _, errno := unix.RawSyscall6(unix.SYS_MQ_TIMEDRECEIVE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(unsafe.Pointer(&priority)), 0, 0)
	if errno != 0 {
		return 0, 0, errno
	}
	return int(r), priority, nil
}

func sysAttributes(fd uintptr) (a attributes, err error) {
	err = failed(unix.RawSyscall(unix.SYS_MQ_GETSETATTR, fd, 0, uintptr(unsafe.Pointer(&a))))
	return a, err
}

func failed(_, _ uintptr, errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}

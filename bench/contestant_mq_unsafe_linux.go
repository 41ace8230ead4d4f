package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// mqDepth is how many messages a queue holds, if the kernel lets us.
const (
	mqDepth   = 512
	mqShallow = 10
)

// messageQueue is two POSIX message queues, one for each direction.
func messageQueue() contestant {
	return plainGo("POSIX message queue", "mq_send and mq_receive by system call, blocking, "+strconv.Itoa(mqDepth)+" deep where that is allowed", layQueues(mqDepth), joinQueues)
}

// shallowQueue is as deep as every user may have it by default.
func shallowQueue() contestant {
	return plainGo("POSIX message queue, 10 deep", "mq_send and mq_receive by system call, blocking", layQueues(mqShallow), joinQueues)
}

func queueName(j side.Job, i int) string { return j.Link + "-" + strconv.Itoa(i) }

// mqAttr is the kernel's struct mq_attr.
type mqAttr struct {
	flags, depth, size, queued int
	_                          [4]int
}

func openQueue(name string, flags int, attr *mqAttr) (int, error) {
	p, err := unix.BytePtrFromString(name)
	if err != nil {
		return -1, err
	}
	fd, _, e := unix.Syscall6(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(p)), uintptr(flags), 0o600, uintptr(unsafe.Pointer(attr)), 0, 0)
	if e != 0 {
		return -1, os.NewSyscallError("mq_open", e)
	}
	return int(fd), nil
}

func removeQueue(name string) error {
	p, err := unix.BytePtrFromString(name)
	if err != nil {
		return err
	}
	if _, _, e := unix.Syscall(unix.SYS_MQ_UNLINK, uintptr(unsafe.Pointer(p)), 0, 0); e != 0 {
		return os.NewSyscallError("mq_unlink", e)
	}
	return nil
}

func layQueues(deep int) func(*link, side.Job) error {
	return func(l *link, j side.Job) error {
		for i := range 2 {
			name := queueName(j, i)
			var fd int
			var err error
			for _, depth := range []int{deep, mqShallow} {
				if fd, err = openQueue(name, unix.O_CREAT|unix.O_EXCL|unix.O_RDWR, &mqAttr{depth: depth, size: j.Size}); err == nil {
					break
				}
			}
			if err != nil {
				return fmt.Errorf("%w: %w", side.ErrMissing, err)
			}
			l.undo = append(l.undo, func() error { return removeQueue(name) })
			if err := unix.Close(fd); err != nil {
				return err
			}
		}
		return nil
	}
}

// queueEnd ends its stream by an empty message.
type queueEnd struct {
	out, in int
	buf     []byte
}

func joinQueues(j side.Job) (side.End, error) {
	out, err := openQueue(queueName(j, j.Side), unix.O_WRONLY, nil)
	if err != nil {
		return nil, err
	}
	in, err := openQueue(queueName(j, 1-j.Side), unix.O_RDONLY, nil)
	if err != nil {
		return nil, errors.Join(err, unix.Close(out))
	}
	return queueEnd{out, in, make([]byte, j.Size)}, nil
}

func (e queueEnd) call(number uintptr, fd int, length int) (int, error) {
	for {
		n, _, errno := unix.Syscall6(number, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(e.buf))), uintptr(length), 0, 0, 0)
		if errno == 0 {
			return int(n), nil
		}
		if errno != unix.EINTR {
			return 0, os.NewSyscallError("message queue", errno)
		}
	}
}

func (e queueEnd) Send(from, to uint64) error {
	for n := from; n < to; n++ {
		side.Fill(e.buf, n)
		if _, err := e.call(unix.SYS_MQ_TIMEDSEND, e.out, len(e.buf)); err != nil {
			return err
		}
	}
	return nil
}

func (e queueEnd) Receive(from, to uint64) (uint64, error) {
	for n := from; n < to; n++ {
		length, err := e.call(unix.SYS_MQ_TIMEDRECEIVE, e.in, len(e.buf))
		if err != nil {
			return n, err
		}
		if length == 0 {
			return n, io.EOF
		}
		if !side.Holds(e.buf[:length], n, len(e.buf)) {
			return n, side.ErrWrong(n)
		}
	}
	return to, nil
}

func (e queueEnd) Close() error {
	_, err := e.call(unix.SYS_MQ_TIMEDSEND, e.out, 0)
	return err
}

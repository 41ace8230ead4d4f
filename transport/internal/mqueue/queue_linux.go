package mqueue

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Queue is an open queue. Deadlines end waits, now and later ones, until they
// are set anew.
type Queue struct {
	name string
	f    *os.File
	c    syscall.RawConn
	size Size
}

// Limits are those that the kernel sets for users without privileges.
func Limits() (Size, error) {
	messages, err := readLimit("msg_max")
	if err != nil {
		return Size{}, err
	}
	bytes, err := readLimit("msgsize_max")
	return Size{messages, bytes}, err
}

func readLimit(name string) (int, error) {
	text, err := os.ReadFile("/proc/sys/fs/mqueue/" + name)
	if err != nil {
		return 0, fmt.Errorf("mqueue: limit %s: %w: %w", name, errors.ErrUnsupported, err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("mqueue: limit %s: want a number, found %q", name, text)
	}
	return n, nil
}

// Create makes a queue, or opens the one there is, whose size may be another.
func Create(name string, s Size, perm fs.FileMode) (*Queue, error) {
	q, err := open(name, unix.O_CREAT, perm, &attributes{messages: s.Messages, bytes: s.Bytes})
	var limit string
	switch {
	case errors.Is(err, unix.ENOSPC):
		limit = "fs.mqueue.queues_max"
	case errors.Is(err, unix.EMFILE):
		limit = "RLIMIT_MSGQUEUE, or that of descriptors,"
	case errors.Is(err, unix.EINVAL):
		limit = "fs.mqueue.msg_max or msgsize_max"
	}
	if limit != "" {
		return nil, fmt.Errorf("mqueue: wanted %v, found that %s does not allow it: %w", s, limit, err)
	}
	return q, err
}

// Open opens a queue: fs.ErrNotExist if there is none.
func Open(name string) (*Queue, error) { return open(name, 0, 0, nil) }

func open(name string, flag int, perm fs.FileMode, a *attributes) (*Queue, error) {
	fd, err := sysOpen(name, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC|flag, uint32(perm), a)
	if err == unix.ENOSYS {
		err = fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	if err != nil {
		return nil, fmt.Errorf("mqueue: open /%s: %w", name, err)
	}
	q := &Queue{name: name, f: os.NewFile(uintptr(fd), "/"+name)}
	if err := q.prepare(fd); err != nil {
		return nil, errors.Join(fmt.Errorf("mqueue: open /%s: %w", name, err), q.f.Close())
	}
	return q, nil
}

// prepare refuses what others may have put there.
func (q *Queue) prepare(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if uid := os.Geteuid(); int(st.Uid) != uid || st.Mode&0o077 != 0 {
		return fmt.Errorf("wanted a queue of user %d with no permission for others, found user %d and mode %#o: %w",
			uid, st.Uid, st.Mode&0o777, fs.ErrPermission)
	}
	a, err := sysAttributes(uintptr(fd))
	if err != nil {
		return err
	}
	q.size = Size{a.messages, a.bytes}
	q.c, err = q.f.SyscallConn()
	if err == nil {
		err = q.f.SetDeadline(time.Time{}) // the runtime's poller has it
	}
	return err
}

// Size is what the queue was made with.
func (q *Queue) Size() Size { return q.size }

// Queued is how many messages are in the queue.
func (q *Queue) Queued() (n int, err error) {
	cerr := q.c.Control(func(fd uintptr) {
		var a attributes
		a, err = sysAttributes(fd)
		n = a.queued
	})
	return n, errors.Join(cerr, err)
}

// TrySend is ErrFull when there is no room.
func (q *Queue) TrySend(b []byte, priority uint) (err error) {
	cerr := q.c.Control(func(fd uintptr) { err = sysSend(fd, b, priority) })
	if err == unix.EAGAIN {
		return ErrFull
	}
	return errors.Join(cerr, err)
}

// Send waits for room, until the deadline for writing.
func (q *Queue) Send(b []byte, priority uint) (err error) {
	cerr := q.c.Write(func(fd uintptr) bool {
		err = sysSend(fd, b, priority)
		return err != unix.EAGAIN
	})
	if cerr != nil {
		return cerr
	}
	return err
}

// WaitRoom waits until there is room for n messages, until the deadline for
// writing.
func (q *Queue) WaitRoom(n int) (err error) {
	cerr := q.c.Write(func(fd uintptr) bool {
		var a attributes
		a, err = sysAttributes(fd)
		return err != nil || a.messages-a.queued >= n
	})
	return errors.Join(cerr, err)
}

// TryReceive is ErrEmpty when there is no message. b has room for the longest.
func (q *Queue) TryReceive(b []byte) (n int, priority uint32, err error) {
	cerr := q.c.Control(func(fd uintptr) { n, priority, err = sysReceive(fd, b) })
	if err == unix.EAGAIN {
		return 0, 0, ErrEmpty
	}
	return n, priority, errors.Join(cerr, err)
}

// Receive waits for a message, until the deadline for reading.
func (q *Queue) Receive(b []byte) (n int, priority uint32, err error) {
	cerr := q.c.Read(func(fd uintptr) bool {
		n, priority, err = sysReceive(fd, b)
		return err != unix.EAGAIN
	})
	if cerr != nil {
		return 0, 0, cerr
	}
	return n, priority, err
}

func (q *Queue) SetReadDeadline(t time.Time) error  { return q.f.SetReadDeadline(t) }
func (q *Queue) SetWriteDeadline(t time.Time) error { return q.f.SetWriteDeadline(t) }

// Close closes the descriptor. The queue stays.
func (q *Queue) Close() error { return q.f.Close() }

// Remove takes the name away; who has the queue open keeps it.
func Remove(name string) error {
	if err := sysUnlink(name); err != nil {
		return fmt.Errorf("mqueue: remove /%s: %w", name, err)
	}
	return nil
}

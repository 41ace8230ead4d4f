//go:build linux && !carousel_portable

package shm

import (
	"encoding/binary"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// newSource listens by inotify, or has watches poll where that is refused.
func newSource() source {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return newClock()
	}
	file := os.NewFile(uintptr(fd), "inotify")
	if err := file.SetReadDeadline(time.Time{}); err != nil { // not with the runtime's poller
		_ = file.Close()
		return newClock()
	}
	return &inotify{file: file, users: make(map[int]int), buf: make([]byte, 4096)}
}

// inotify tells of files that were open for writing and are closed. A key is a
// watch descriptor, of which the kernel has one for each inode.
type inotify struct {
	file  *os.File
	users map[int]int // how many watches have a key
	buf   []byte      // of wait
}

func (n *inotify) add(f *File) (key int, ok bool) {
	err := control(n.file, func(fd int) error {
		return control(f.file, func(of int) (err error) {
			key, err = unix.InotifyAddWatch(fd, procFD(of), unix.IN_CLOSE_WRITE)
			return err
		})
	})
	if err != nil {
		return 0, false
	}
	n.users[key]++
	return key, true
}

func (n *inotify) remove(key int) {
	if n.users[key]--; n.users[key] > 0 {
		return
	}
	delete(n.users, key)
	_ = control(n.file, func(fd int) error {
		_, err := unix.InotifyRmWatch(fd, uint32(key))
		return err
	})
}

func (n *inotify) prepare(until time.Time) { _ = n.file.SetReadDeadline(until) }

func (n *inotify) kick() { _ = n.file.SetReadDeadline(time.Unix(1, 0)) }

func (n *inotify) close() { _ = n.file.Close() }

func (n *inotify) wait() ([]event, bool) {
	got, err := n.file.Read(n.buf)
	switch {
	case err == nil:
		return decodeEvents(n.buf[:got]), true
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, true
	case errors.Is(err, os.ErrClosed):
		return nil, false
	default: // unheard of; as good as not being told
		time.Sleep(pollEvery)
		return []event{{all: true}}, true
	}
}

// decodeEvents takes apart what the kernel wrote: struct inotify_event, and
// after each as many bytes of a name as it says.
func decodeEvents(b []byte) (events []event) {
	for len(b) >= unix.SizeofInotifyEvent {
		mask := binary.NativeEndian.Uint32(b[4:])
		events = append(events, event{
			key:  int(int32(binary.NativeEndian.Uint32(b))),
			all:  mask&unix.IN_Q_OVERFLOW != 0,
			last: mask&unix.IN_IGNORED != 0,
		})
		size := unix.SizeofInotifyEvent + int64(binary.NativeEndian.Uint32(b[12:]))
		b = b[min(size, int64(len(b))):]
	}
	return events
}

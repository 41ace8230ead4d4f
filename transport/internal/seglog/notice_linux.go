//go:build linux && !carousel_portable

package seglog

import (
	"errors"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/ring"
)

// newNotice listens to the folder by inotify, or polls where that is refused.
func newNotice(dir string) (notice, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return newPoll(), nil
	}
	f := os.NewFile(uintptr(fd), "inotify")
	_, err = unix.InotifyAddWatch(fd, dir, unix.IN_MODIFY|unix.IN_CREATE|unix.IN_DELETE_SELF)
	if err == nil {
		err = f.SetReadDeadline(time.Time{})
	}
	if err != nil {
		_ = f.Close()
		return newPoll(), nil
	}
	return &inotify{f: f, buf: make([]byte, 4096)}, nil
}

// inotify wakes whenever something in the folder is written or made. Events
// that are alike and not yet read are one.
type inotify struct {
	f     *os.File
	buf   []byte
	spins bool
	rung  atomic.Bool
}

// arm comes before the look. Who rings after it makes wait return.
func (n *inotify) arm(w ring.Wait) {
	n.spins = pause(w, 1) == 0
	_ = n.f.SetReadDeadline(time.Time{})
	if n.rung.Swap(false) {
		_ = n.f.SetReadDeadline(time.Unix(1, 0))
	}
}

func (n *inotify) wait() error {
	if n.spins {
		runtime.Gosched()
		return nil
	}
	_, err := n.f.Read(n.buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

func (n *inotify) waitAtMost(d time.Duration) error {
	t := time.AfterFunc(d, n.ring)
	defer t.Stop()
	return n.wait()
}

func (n *inotify) ring() {
	n.rung.Store(true)
	_ = n.f.SetReadDeadline(time.Unix(1, 0))
}

func (n *inotify) close() error { return n.f.Close() }

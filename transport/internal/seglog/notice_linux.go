//go:build linux && !carousel_portable

package seglog

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
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
	_, err = unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_DELETE_SELF)
	if err == nil {
		err = f.SetReadDeadline(time.Time{})
	}
	if err != nil {
		_ = f.Close()
		return newPoll(), nil
	}
	return &inotify{dir: dir, f: f, fd: fd, buf: make([]byte, 4096), names: true}, nil
}

// inotify wakes when the segment is written, or a name is made in the folder.
// The segment is watched for one write after each arm, so that the producer of a
// reader that is awake has nobody to tell. Events that are alike and not yet read
// are one.
type inotify struct {
	dir     string
	f       *os.File
	fd      int // of f, which is closed when nobody is in a call
	buf     []byte
	spins   bool
	watches segment // whose next write will be told; none
	watch   uint32  // the kernel's number for that
	names   bool    // may be new
	rung    atomic.Bool
}

// arm comes before the look. Who rings after it makes wait return.
func (n *inotify) arm(w ring.Wait, g segment) {
	_ = n.f.SetReadDeadline(time.Time{})
	if n.rung.Swap(false) {
		_ = n.f.SetReadDeadline(time.Unix(1, 0))
	}
	if n.spins = pause(w, 1) == 0; n.spins || n.watches == g {
		return
	}
	if (n.watches != segment{}) {
		_, _ = unix.InotifyRmWatch(n.fd, n.watch)
	}
	watch, err := unix.InotifyAddWatch(n.fd, filepath.Join(n.dir, g.name()), unix.IN_MODIFY|unix.IN_ONESHOT)
	n.watches, n.watch = g, uint32(watch)
	if err != nil { // it has gone, or there are too many watches
		n.watches = segment{}
	}
}

func (n *inotify) renamed() bool {
	names := n.names
	n.names = n.spins // who does not listen cannot know
	return names
}

func (n *inotify) wait() error {
	switch {
	case n.spins:
		runtime.Gosched()
		return nil
	case n.watches == segment{}:
		return n.waitAtMost(pollEvery)
	}
	return n.listen()
}

func (n *inotify) waitAtMost(d time.Duration) error {
	t := time.AfterFunc(d, n.ring)
	defer t.Stop()
	return n.listen()
}

// listen returns with the next events.
func (n *inotify) listen() error {
	got, err := n.f.Read(n.buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	for b := n.buf[:got]; len(b) >= unix.SizeofInotifyEvent; {
		// struct inotify_event: watch, mask, cookie, length of the name behind it.
		watch, mask, name := binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint32(b[12:])
		switch {
		case mask&unix.IN_IGNORED != 0: // comes behind the one write, and takes with it what was armed in between
			if watch == n.watch {
				n.watches = segment{}
			}
		case mask&unix.IN_MODIFY == 0:
			n.names = true // or an event was dropped
		}
		b = b[min(len(b), unix.SizeofInotifyEvent+int(name)):]
	}
	return err
}

func (n *inotify) ring() {
	n.rung.Store(true)
	_ = n.f.SetReadDeadline(time.Unix(1, 0))
}

func (n *inotify) close() error { return n.f.Close() }

//go:build linux && !carousel_portable

package hostile

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// By way of the descriptor of the broadcast memory, which the producer has
// open for writing and hands over as it is.
var fileAttempts = []attempt{
	{"pwrite", "pwrite to the broadcast memory", none, func(a *attacker) (string, error) {
		return result(unix.Pwrite(a.ring, mark, 0))
	}},
	{"write", "write at the position that the descriptor shares with the producer's", none, func(a *attacker) (string, error) {
		if _, err := unix.Seek(a.ring, producerWords, io.SeekStart); err != nil {
			return "", err
		}
		return result(unix.Write(a.ring, mark))
	}},
	{"pwritev2", "pwritev2", none, func(a *attacker) (string, error) {
		return result(unix.Pwritev2(a.ring, [][]byte{mark, mark}, 0, 0))
	}},
	{"append", "set O_APPEND, shared with the producer's descriptor, and write", none, func(a *attacker) (string, error) {
		flags, err := unix.FcntlInt(uintptr(a.ring), unix.F_GETFL, 0)
		if err == nil {
			_, err = unix.FcntlInt(uintptr(a.ring), unix.F_SETFL, flags|unix.O_APPEND|unix.O_NONBLOCK)
		}
		if err != nil {
			return "", err
		}
		return result(unix.Write(a.ring, mark))
	}},
	{"uring-write", "a write by io_uring", none, func(a *attacker) (string, error) { return a.uringWrite(a.ring) }},
	{"sendfile", "sendfile into it", none, func(a *attacker) (string, error) {
		f, err := os.Open("/proc/self/exe")
		if err != nil {
			return "", err
		}
		defer f.Close()
		return result(unix.Sendfile(a.ring, int(f.Fd()), nil, 4096))
	}},
	{"splice", "splice from a pipe into it", none, func(a *attacker) (string, error) {
		return a.piped(func(r int) (string, error) {
			off := int64(0)
			n, err := unix.Splice(r, nil, a.ring, &off, len(mark), 0)
			return result(int(n), err)
		})
	}},
	{"vmsplice", "vmsplice a gift of pages into a pipe, and splice them as they are", none, func(a *attacker) (string, error) {
		return a.piped(func(r int) (string, error) {
			off := int64(page)
			n, err := unix.Splice(r, nil, a.ring, &off, page, unix.SPLICE_F_MOVE)
			return result(int(n), err)
		})
	}},
	{"vmsplice-out", "vmsplice the mapping's pages into a pipe, to write to them from there", none, func(a *attacker) (string, error) {
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
			return "", err
		}
		defer unix.Close(p[0])
		defer unix.Close(p[1])
		v := []unix.Iovec{{Base: &a.view[0]}}
		v[0].SetLen(16) // less than a page, so that a write could be merged into it
		if _, err := unix.Vmsplice(p[1], v, unix.SPLICE_F_GIFT); err != nil {
			return "", err
		}
		n, err := unix.Write(p[1], mark)
		return did(fmt.Sprintf("%d bytes behind it in the pipe", n), err)
	}},
	{"copy-file-range", "copy_file_range from its own slot", none, func(a *attacker) (string, error) {
		from, to := int64(0), int64(0)
		return result(unix.CopyFileRange(a.slot, &from, a.ring, &to, page, 0))
	}},
	{"truncate-0", "truncate to nothing: others would get SIGBUS", none, func(a *attacker) (string, error) {
		return did("shrunk", unix.Ftruncate(a.ring, 0))
	}},
	{"truncate-more", "truncate to more", none, func(a *attacker) (string, error) {
		return did("grown", unix.Ftruncate(a.ring, int64(2*len(a.view))))
	}},
	{"fallocate", "fallocate behind the end", none, func(a *attacker) (string, error) {
		return did("grown", unix.Fallocate(a.ring, 0, int64(len(a.view)), page))
	}},
	{"punch-hole", "punch a hole", none, func(a *attacker) (string, error) {
		return did("punched", unix.Fallocate(a.ring, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, page))
	}},
	{"zero-range", "zero or collapse a range", none, func(a *attacker) (string, error) {
		err := unix.Fallocate(a.ring, unix.FALLOC_FL_ZERO_RANGE, 0, page)
		if err != nil {
			err = errors.Join(err, unix.Fallocate(a.ring, unix.FALLOC_FL_COLLAPSE_RANGE, 0, page))
		}
		return did("zeroed", err)
	}},
	{"seal", "add the seal WRITE, which would stop the producer", none, func(a *attacker) (string, error) {
		return result(unix.FcntlInt(uintptr(a.ring), unix.F_ADD_SEALS, unix.F_SEAL_WRITE))
	}},
	{"seal-exec", "add the seal EXEC", none, func(a *attacker) (string, error) {
		return result(unix.FcntlInt(uintptr(a.ring), unix.F_ADD_SEALS, 0x20))
	}},
	{"reopen", "open /proc/self/fd/N anew for writing, and write", none, func(a *attacker) (string, error) {
		return a.opened(fmt.Sprintf("/proc/self/fd/%d", a.ring))
	}},
	{"chmod-reopen", "set the mode 0666, open anew for writing, and write", none, func(a *attacker) (string, error) {
		if err := unix.Fchmod(a.ring, 0o666); err != nil {
			return "", err
		}
		return a.opened(fmt.Sprintf("/proc/self/fd/%d", a.ring))
	}},
	{"chown", "take the memory's ownership", none, func(a *attacker) (string, error) {
		return did("owned", unix.Fchown(a.ring, nobody, nobody))
	}},
	{"futimens", "set its times", none, func(a *attacker) (string, error) {
		return did("set", unix.UtimesNanoAt(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", a.ring), []unix.Timespec{{}, {}}, 0))
	}},
	{"immutable", "make it immutable and append-only, so that nobody maps it any more", superior, func(a *attacker) (string, error) {
		const immutable, appendOnly = 0x10, 0x20
		err := unix.IoctlSetPointerInt(a.ring, unix.FS_IOC_SETFLAGS, immutable|appendOnly)
		return did("set", err)
	}},
	{"xattr", "hang an attribute on it", none, func(a *attacker) (string, error) {
		return did("set", unix.Fsetxattr(a.ring, "user.hostile", mark, 0))
	}},
	{"lease", "take a write lease on it, so that whoever opens it has to wait", none, func(a *attacker) (string, error) {
		fd, err := unix.FcntlInt(uintptr(a.ring), unix.F_SETLEASE, unix.F_WRLCK)
		a.later(func() error {
			_, _ = unix.FcntlInt(uintptr(a.ring), unix.F_SETLEASE, unix.F_UNLCK)
			return nil
		})
		return result(fd, err)
	}},
	{"flock", "lock it, all of it, in each way", none, func(a *attacker) (string, error) {
		all := &unix.Flock_t{Type: unix.F_WRLCK}
		a.later(func() error {
			return errors.Join(unix.Flock(a.ring, unix.LOCK_UN), unix.FcntlFlock(uintptr(a.ring), unix.F_SETLK, &unix.Flock_t{Type: unix.F_UNLCK}))
		})
		return did("locked", errors.Join(unix.Flock(a.ring, unix.LOCK_EX|unix.LOCK_NB), unix.FcntlFlock(uintptr(a.ring), unix.F_SETLK, all)))
	}},
	{"owner-signal", "have its signals sent to the producer", none, func(a *attacker) (string, error) {
		_, err := unix.FcntlInt(uintptr(a.ring), unix.F_SETOWN, a.producer)
		if err == nil {
			_, err = unix.FcntlInt(uintptr(a.ring), unix.F_SETSIG, int(unix.SIGKILL))
		}
		return did("set", err)
	}},
	{"fadvise", "have its pages dropped or written back", none, func(a *attacker) (string, error) {
		return did("advised", errors.Join(unix.Fadvise(a.ring, 0, 0, unix.FADV_DONTNEED), unix.Fsync(a.ring)))
	}},
}

// piped is a pipe with a page in it that begins with the mark.
func (a *attacker) piped(fn func(r int) (string, error)) (string, error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return "", err
	}
	defer unix.Close(p[0])
	defer unix.Close(p[1])
	copy(a.scratch, mark)
	v := []unix.Iovec{{Base: &a.scratch[0]}}
	v[0].SetLen(page)
	if _, err := unix.Vmsplice(p[1], v, unix.SPLICE_F_GIFT); err != nil {
		return "", fmt.Errorf("vmsplice: %w", err)
	}
	return fn(p[0])
}

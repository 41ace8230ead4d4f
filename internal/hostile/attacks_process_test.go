//go:build linux && !carousel_portable

package hostile

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// By way of the producer's process.
var processAttempts = []attempt{
	{"proc-fd", "open /proc/PRODUCER/fd/N for writing, and write", none, func(a *attacker) (string, error) {
		fd, _, err := a.producerFDs()
		if err != nil {
			return "", err
		}
		return a.opened(a.proc(fmt.Sprint("fd/", fd)))
	}},
	{"map-files", "open /proc/PRODUCER/map_files/… for writing, and write", none, func(a *attacker) (string, error) {
		from, to, err := a.producerMapping()
		if err != nil {
			return "", err
		}
		return a.opened(a.proc(fmt.Sprintf("map_files/%x-%x", from, to)))
	}},
	{"proc-mem", "write to /proc/PRODUCER/mem where the ring is mapped", holder, func(a *attacker) (string, error) {
		f, err := os.OpenFile(a.proc("mem"), os.O_RDWR, 0)
		if err != nil {
			return "", err
		}
		defer f.Close()
		at, _, err := a.producerMapping()
		if err != nil {
			return "", err
		}
		return result(f.WriteAt(mark, int64(at)+producerWords))
	}},
	{"vm-writev", "process_vm_writev to the producer", holder, func(a *attacker) (string, error) {
		at, _, err := a.producerMapping()
		if err != nil {
			at = 1 << 20 // it is tried even so
		}
		text, werr := a.pokeProcess(a.producer, uintptr(at)+producerWords)
		return text, errors.Join(err, werr)
	}},
	{"ptrace", "attach to the producer by ptrace, which stops it", holder, func(a *attacker) (string, error) {
		return a.trace()
	}},
	{"getfd", "take the broadcast memory from the producer by pidfd_getfd, and write", none, func(a *attacker) (string, error) {
		memory, _, err := a.producerFDs()
		if err != nil {
			memory = 5 // it is tried even so
		}
		fd, err := stolen(a.producer, memory)
		if err != nil {
			return "", err
		}
		defer unix.Close(fd)
		return a.written(fd)
	}},
	{"getfd-socket", "take the listening socket from the producer, and shut it down", holder, func(a *attacker) (string, error) {
		_, sockets, err := a.producerFDs()
		if err != nil {
			sockets = []int{3, 4, 5, 6, 7, 8} // it is tried even so
		}
		err = nil
		n := 0
		for _, s := range sockets {
			fd, serr := stolen(a.producer, s)
			if serr != nil {
				err = serr
				continue
			}
			n++
			_ = unix.Shutdown(fd, unix.SHUT_RDWR)
			_ = unix.Close(fd)
		}
		if n == 0 {
			return "", err
		}
		return fmt.Sprintf("%d shut down", n), nil
	}},
	{"kill", "SIGKILL the producer", owner, func(a *attacker) (string, error) {
		return did("killed", unix.Kill(a.producer, unix.SIGKILL))
	}},
	{"stop", "SIGSTOP the producer", owner, func(a *attacker) (string, error) {
		return did("stopped", unix.Kill(a.producer, unix.SIGSTOP))
	}},
	{"signals", "send the producer SIGBUS, SIGURG, SIGPIPE and SIGPROF", owner, func(a *attacker) (string, error) {
		var errs []error
		for _, s := range []unix.Signal{unix.SIGURG, unix.SIGPIPE, unix.SIGPROF, unix.SIGBUS} {
			errs = append(errs, unix.Kill(a.producer, s))
		}
		return did("sent", errors.Join(errs...))
	}},
	{"pidfd-signal", "SIGKILL the producer by pidfd", owner, func(a *attacker) (string, error) {
		fd, err := unix.PidfdOpen(a.producer, 0)
		if err != nil {
			return "", err
		}
		defer unix.Close(fd)
		return did("killed", unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0))
	}},
	{"prlimit-nofile", "leave the producer no descriptors (prlimit)", owner, func(a *attacker) (string, error) {
		return did("limited", unix.Prlimit(a.producer, unix.RLIMIT_NOFILE, &unix.Rlimit{}, nil))
	}},
	{"prlimit-cpu", "leave the producer no processor time", owner, func(a *attacker) (string, error) {
		return did("limited", unix.Prlimit(a.producer, unix.RLIMIT_CPU, &unix.Rlimit{}, nil))
	}},
	{"scheduling", "give the producer the least share of the processor, on one of them", owner, func(a *attacker) (string, error) {
		one := &unix.CPUSet{}
		one.Set(0)
		return did("given", errors.Join(unix.SchedSetaffinity(a.producer, one), unix.Setpriority(unix.PRIO_PROCESS, a.producer, 19)))
	}},
	{"oom-score", "make the producer the first to be killed without memory", none, func(a *attacker) (string, error) {
		return did("made", os.WriteFile(a.proc("oom_score_adj"), []byte("1000"), 0))
	}},
	{"clear-refs", "have the producer's pages written anew (clear_refs)", none, func(a *attacker) (string, error) {
		return did("cleared", os.WriteFile(a.proc("clear_refs"), []byte("4"), 0))
	}},
	{"timer-slack", "make the producer's timers late", none, func(a *attacker) (string, error) {
		return did("made", os.WriteFile(a.proc("timerslack_ns"), []byte("10000000"), 0))
	}},
	{"madvise", "have the producer's pages dropped (process_madvise)", none, func(a *attacker) (string, error) {
		at, to, err := a.producerMapping()
		if err != nil {
			at, to = 1<<20, 1<<20+page // it is tried even so
		}
		fd, err := unix.PidfdOpen(a.producer, 0)
		if err != nil {
			return "", err
		}
		defer unix.Close(fd)
		put64(a.scratch, 0, at)
		put64(a.scratch, 8, to-at)
		return result(call(unix.SYS_PROCESS_MADVISE, uintptr(fd), address(a.scratch), 1, unix.MADV_PAGEOUT))
	}},
	{"mrelease", "have the producer's memory released (process_mrelease)", none, func(a *attacker) (string, error) {
		fd, err := unix.PidfdOpen(a.producer, 0)
		if err != nil {
			return "", err
		}
		defer unix.Close(fd)
		return result(call(unix.SYS_PROCESS_MRELEASE, uintptr(fd), 0))
	}},
	{"move-pages", "have the producer's pages moved", none, func(a *attacker) (string, error) {
		put64(a.scratch, 0, 1)
		return result(call(unix.SYS_MIGRATE_PAGES, uintptr(a.producer), 2, address(a.scratch), address(a.scratch)))
	}},
	{"environment", "read the producer's environment and memory map", none, func(a *attacker) (string, error) {
		_, err := os.ReadFile(a.proc("environ"))
		_, merr := os.ReadFile(a.proc("maps"))
		return did("read", errors.Join(err, merr))
	}},
}

// producerFDs finds the producer's broadcast memory and its sockets.
func (a *attacker) producerFDs() (memory int, sockets []int, err error) {
	entries, err := os.ReadDir(a.proc("fd"))
	if err != nil {
		return -1, nil, err
	}
	memory = -1
	for _, e := range entries {
		to, _ := os.Readlink(a.proc("fd/" + e.Name()))
		fd, _ := strconv.Atoi(e.Name())
		switch {
		case strings.HasPrefix(to, "/memfd:carousel-ring") && memory < 0:
			memory = fd
		case strings.HasPrefix(to, "socket:"):
			sockets = append(sockets, fd)
		}
	}
	return memory, sockets, nil
}

// producerMapping finds where the producer has the ring mapped for writing.
func (a *attacker) producerMapping() (from, to uint64, err error) {
	text, err := os.ReadFile(a.proc("maps"))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err == nil && strings.Contains(line, "memfd:carousel-ring") && mode == "rw-s" && to-from >= crewCapacity {
			return from, to, nil
		}
	}
	return 0, 0, errors.New("no mapping for writing found")
}

// trace stops every thread of the producer until undo. What a thread traces it
// has to let go itself.
func (a *attacker) trace() (string, error) {
	attached, let, gone := make(chan error), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var threads []int
		entries, err := os.ReadDir(a.proc("task"))
		if err == nil {
			err = unix.ESRCH
		}
		for _, e := range entries {
			id, _ := strconv.Atoi(e.Name())
			if err = unix.PtraceAttach(id); err != nil {
				break
			}
			threads = append(threads, id)
		}
		attached <- err
		<-let
		for _, id := range threads {
			_, _ = unix.Wait4(id, nil, unix.WALL|unix.WNOHANG, nil)
			_ = unix.PtraceDetach(id)
		}
	}()
	a.later(func() error { close(let); <-gone; return nil })
	return did("stopped", <-attached)
}

//go:build amd64 || arm64

package confined

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/internal/seccomp"
)

// faults are the system calls by which rings are made, found, locked, mapped,
// handed over and slept on.
var faults = []struct {
	name string
	rule seccomp.Rule
}{
	{"memfd_create", seccomp.Rule{Call: unix.SYS_MEMFD_CREATE}},
	{"fallocate", seccomp.Rule{Call: unix.SYS_FALLOCATE}},
	{"fchmod", seccomp.Rule{Call: unix.SYS_FCHMOD}},
	{"fcntl add seals", fcntl(unix.F_ADD_SEALS)},
	{"fcntl get seals", fcntl(unix.F_GET_SEALS)},
	{"fcntl set lock", fcntl(unix.F_OFD_SETLK)},
	{"fcntl get lock", fcntl(unix.F_OFD_GETLK)},
	{"fcntl duplicate", fcntl(unix.F_DUPFD_CLOEXEC)},
	{"flock", seccomp.Rule{Call: unix.SYS_FLOCK}},
	{"mmap shared", seccomp.Rule{Call: unix.SYS_MMAP, When: []seccomp.Arg{{Index: 3, Mask: 3, Value: unix.MAP_SHARED}}}},
	{"inotify_init1", seccomp.Rule{Call: unix.SYS_INOTIFY_INIT1}},
	{"inotify_add_watch", seccomp.Rule{Call: unix.SYS_INOTIFY_ADD_WATCH}},
	{"linkat", seccomp.Rule{Call: unix.SYS_LINKAT}},
	{"renameat", seccomp.Rule{Call: unix.SYS_RENAMEAT}},
	{"renameat2", seccomp.Rule{Call: unix.SYS_RENAMEAT2}},
	{"unlinkat", seccomp.Rule{Call: unix.SYS_UNLINKAT}},
	{"statfs", seccomp.Rule{Call: unix.SYS_STATFS}},
	{"faccessat", seccomp.Rule{Call: unix.SYS_FACCESSAT}},
	{"prlimit64", seccomp.Rule{Call: unix.SYS_PRLIMIT64}},
	{"socket", seccomp.Rule{Call: unix.SYS_SOCKET}},
	{"bind", seccomp.Rule{Call: unix.SYS_BIND}},
	{"listen", seccomp.Rule{Call: unix.SYS_LISTEN}},
	{"connect", seccomp.Rule{Call: unix.SYS_CONNECT}},
	{"accept4", seccomp.Rule{Call: unix.SYS_ACCEPT4}},
	{"getsockopt", seccomp.Rule{Call: unix.SYS_GETSOCKOPT}},
	{"sendmsg", seccomp.Rule{Call: unix.SYS_SENDMSG}},
	{"recvmsg", seccomp.Rule{Call: unix.SYS_RECVMSG}},
	{"membarrier", seccomp.Rule{Call: unix.SYS_MEMBARRIER}},
	{"futex_waitv", seccomp.Rule{Call: unix.SYS_FUTEX_WAITV}},
}

func fcntl(command uint32) seccomp.Rule {
	return seccomp.Rule{Call: unix.SYS_FCNTL, When: []seccomp.Arg{{Index: 1, Mask: ^uint32(0), Value: command}}}
}

var errnos = []syscall.Errno{unix.EPERM, unix.ENOSYS, unix.ENOMEM, unix.EMFILE, unix.EINVAL, unix.EIO}

// Every one of those calls fails in every way, for good: either both commands
// do without it, or one says so and both end. None crashes or hangs, and no
// ring is left that could have been removed.
func TestFaults(t *testing.T) {
	every := 7 // one of so many of the combinations, by default
	if os.Getenv("CAROUSEL_FAULTS") != "" {
		every = 1
	}
	n := 0
	for _, f := range faults {
		for _, errno := range errnos {
			for _, medium := range []string{"memfd", "shm", "file"} {
				if n++; n%every != 0 {
					continue
				}
				name := fmt.Sprintf("carousel-confined-fault-%d-%d", os.Getpid(), n)
				t.Run(fmt.Sprintf("%s, %s, %s", f.name, unix.ErrnoName(errno), medium), func(t *testing.T) {
					t.Parallel()
					rule := f.rule
					rule.Errno = errno
					fault(t, seccomp.Filter{rule}, medium, name, f.name == "unlinkat")
				})
			}
		}
	}
}

// What a socket is not given by reference is copied, whatever the reason.
func TestFaultsOfSplicing(t *testing.T) {
	line := append(bytes.Repeat([]byte{'x'}, 300_000), '\n')
	for _, call := range []struct {
		name   string
		number uint32
	}{{"pipe2", unix.SYS_PIPE2}, {"vmsplice", unix.SYS_VMSPLICE}, {"splice", unix.SYS_SPLICE}} {
		for _, errno := range errnos {
			t.Run(call.name+", "+unix.ErrnoName(errno), func(t *testing.T) {
				t.Parallel()
				shared, _ := folders(t, os.Geteuid())
				place, url := Place{Filter: seccomp.Filter{{Call: call.number, Errno: errno}}}, "unix://"+shared+"/s"
				consumer := run(t, place, nil, "consumer", "-connect", "5s", url)
				producer := run(t, place, bytes.Repeat(line, 10), "producer", "-consumers", "1", url)
				if c, p := consumer.exit(), producer.exit(); c != 0 || p != 0 {
					t.Errorf("producer %d, consumer %d: %s %s", p, c, producer.stderr.String(), consumer.stderr.String())
				}
				if !bytes.Equal(consumer.out.Bytes(), bytes.Repeat(line, 10)) {
					t.Errorf("%d bytes arrived, which are not those that were sent", consumer.out.Len())
				}
			})
		}
	}
}

func fault(t *testing.T, filter seccomp.Filter, medium, name string, mayStay bool) {
	shared, _ := folders(t, os.Geteuid())
	url := map[string]string{"memfd": "memfd://" + shared + "/s", "shm": "shm://" + name, "file": "file://" + shared + "/r"}[medium]
	t.Cleanup(func() {
		left, _ := filepath.Glob("/dev/shm/" + name + "*")
		for _, f := range left {
			if !mayStay {
				t.Errorf("%s is left", f)
			}
			_ = os.Remove(f)
		}
	})
	place := Place{Filter: filter}
	consumer := run(t, place, nil, "consumer", "-connect", "500ms", url)
	// Not more than one, which may not come: with nobody the ring keeps the line.
	producer := run(t, place, []byte("one\ntwo\n"), "producer", "-consumers", "1", "-drain", "1s", url)
	c := consumer.exit()
	if c != 0 {
		_ = producer.Process.Signal(syscall.SIGTERM) // it would wait for another one
	}
	p := producer.exit()
	if p == -1 && c != 0 {
		p = 0 // ended by that signal, before it had begun to listen to any
	}
	for _, end := range []struct {
		code int
		of   *process
	}{{c, consumer}, {p, producer}} {
		said := end.of.stderr.String()
		if end.code != 0 && end.code != 1 && end.code != 4 || strings.Contains(said, "goroutine ") || end.code != 0 && !strings.Contains(said, "error: ") {
			t.Errorf("%v: exit %d\n%s", end.of.Args[1:], end.code, said)
		}
	}
	if whole := consumer.out.String() == "one\ntwo\n"; c == 0 && p == 0 && !whole {
		t.Errorf("both say that all is well, and %q arrived", consumer.out.String())
	}
	t.Logf("producer %d, consumer %d: %s %s", p, c, strings.TrimSpace(producer.stderr.String()), strings.TrimSpace(consumer.stderr.String()))
}

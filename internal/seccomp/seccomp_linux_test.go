package seccomp

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const filterEnv = "SECCOMP_TEST_FILTER"

// TestMain plays the child: it installs the filter, makes some calls on many
// threads and says what they were answered.
func TestMain(m *testing.M) {
	text := os.Getenv(filterEnv)
	if text == "" {
		os.Exit(m.Run())
	}
	var f Filter
	err := json.Unmarshal([]byte(text), &f)
	if err == nil {
		err = onManyThreads(f)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

const threads = 8

// onManyThreads has the calls made by threads that there were before, too.
func onManyThreads(f Filter) error {
	var here, all sync.WaitGroup
	installed := make(chan struct{})
	found := make([]answers, threads)
	here.Add(threads)
	for i := range threads {
		all.Go(func() {
			// Not unlocked: the thread ends with the goroutine, so all are different.
			lock()
			here.Done()
			<-installed
			found[i] = ask()
		})
	}
	here.Wait()
	err := Install(f)
	close(installed)
	all.Wait()
	if err != nil {
		return err
	}
	for _, a := range found {
		if a != found[0] {
			return fmt.Errorf("threads differ: %v and %v", found[0], a)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(found[0])
}

// answers are what some harmless calls were answered; 0 for success.
type answers struct {
	Getppid, Membarrier, Waitv, Unshare, Clone3, Newest, Wake, Wait syscall.Errno
}

func ask() (a answers) {
	word := new(uint32)
	for _, c := range []struct {
		to   *syscall.Errno
		call uintptr
		args [3]uintptr
	}{
		{&a.Getppid, unix.SYS_GETPPID, [3]uintptr{}},
		{&a.Membarrier, unix.SYS_MEMBARRIER, [3]uintptr{}}, // query
		{&a.Waitv, unix.SYS_FUTEX_WAITV, [3]uintptr{}},     // of nothing: EINVAL
		{&a.Unshare, unix.SYS_UNSHARE, [3]uintptr{}},       // nothing
		{&a.Clone3, unix.SYS_CLONE3, [3]uintptr{}},         // too small: EINVAL
		{&a.Newest, 4000, [3]uintptr{}},
		{&a.Wake, unix.SYS_FUTEX, [3]uintptr{address(word), 1, 1}},
		{&a.Wait, unix.SYS_FUTEX, [3]uintptr{address(word), 0, 1}}, // for 1, which it is not: EAGAIN
	} {
		_, _, *c.to = unix.Syscall(c.call, c.args[0], c.args[1], c.args[2])
	}
	return a
}

// answered has a child make the calls under a filter.
func answered(t *testing.T, f Filter) (a answers) {
	t.Helper()
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), filterEnv+"="+string(text))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return a
}

func TestFilters(t *testing.T) {
	free := answered(t, Filter{})
	if free.Getppid != 0 || free.Unshare != 0 || free.Newest != unix.ENOSYS || free.Wake != 0 || free.Wait != unix.EAGAIN {
		t.Fatalf("without a rule: %+v", free)
	}
	change := func(f func(*answers)) answers { a := free; f(&a); return a }
	// The runtime of Go waits and wakes too, on words of its own.
	op := func(value uint32, not bool) []Arg { return []Arg{{Index: 1, Mask: 0xff, Value: value, Not: not}} }
	for _, c := range []struct {
		name   string
		filter Filter
		want   answers
	}{
		{"one call", Refuse(unix.EPERM, unix.SYS_MEMBARRIER), change(func(a *answers) { a.Membarrier = unix.EPERM })},
		{"two calls", Refuse(unix.ENOSYS, unix.SYS_MEMBARRIER, unix.SYS_FUTEX_WAITV), change(func(a *answers) { a.Membarrier, a.Waitv = unix.ENOSYS, unix.ENOSYS })},
		{"the first rule decides", append(Refuse(unix.ENOMEM, unix.SYS_GETPPID), Refuse(unix.EPERM, unix.SYS_GETPPID)...), change(func(a *answers) { a.Getppid = unix.ENOMEM })},
		{"by argument", Filter{{Call: unix.SYS_FUTEX, When: op(1, false), Errno: unix.EFAULT}}, change(func(a *answers) { a.Wake = unix.EFAULT })},
		{"by two arguments", Filter{{Call: unix.SYS_FUTEX, When: append(op(1, false), Arg{Index: 2, Mask: ^uint32(0), Value: 2}), Errno: unix.EFAULT}}, free},
		{"beyond", Filter{{Call: 3999, Beyond: true, Errno: unix.EXDEV}}, change(func(a *answers) { a.Newest = unix.EXDEV })},
		{"not beyond", Filter{{Call: 4000, Beyond: true, Errno: unix.EXDEV}}, free},
		{"Docker", Docker(), change(func(a *answers) { a.Unshare, a.Clone3 = unix.EPERM, unix.ENOSYS })},
		{"Docker before futex_waitv", DockerBeforeWaitv(), change(func(a *answers) { a.Unshare, a.Clone3, a.Waitv = unix.EPERM, unix.ENOSYS, unix.ENOSYS })},
		{"Docker before membarrier", DockerBeforeMembarrier(), change(func(a *answers) {
			a.Unshare, a.Clone3, a.Waitv, a.Membarrier, a.Newest = unix.EPERM, unix.ENOSYS, unix.EPERM, unix.EPERM, unix.EPERM
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := answered(t, c.filter); got != c.want {
				t.Errorf("answered %+v, wanted %+v", got, c.want)
			}
		})
	}
}

// An argument that no call has is refused before anything is installed.
func TestBadRule(t *testing.T) {
	err := Install(Filter{{Call: unix.SYS_FUTEX, When: []Arg{{Index: 6}}, Errno: unix.EPERM}})
	if err == nil || errors.Is(err, unix.EINVAL) {
		t.Errorf("got %v, wanted an error about argument 6", err)
	}
}

//go:build linux && !carousel_portable

package hostile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/ring"
)

// attacker is an admitted consumer that has turned hostile: it has all that
// Dial hands over, and knows who the others are.
type attacker struct {
	socket, folder   string
	producer, honest int // processes

	ring, slot int    // descriptors
	view       []byte // of the broadcast segment, for reading
	own        []byte // its slot, for writing
	scratch    []byte // memory that may be handed to the kernel by address

	dialed   *ring.Ring
	consumer *ring.Consumer
	undo     []func() error
}

// mark is what it writes where it can.
var mark = []byte("HOSTILE!")

func attackerRole() (commands, error) {
	a := &attacker{socket: os.Getenv("SOCKET"), folder: filepath.Dir(os.Getenv("SOCKET"))}
	var err error
	if a.producer, err = strconv.Atoi(os.Getenv("PRODUCER")); err != nil {
		return nil, err
	}
	if a.honest, err = strconv.Atoi(os.Getenv("HONEST")); err != nil {
		return nil, err
	}
	if err := a.join(); err != nil {
		return nil, err
	}
	return commands{
		"try": func(args []string) string {
			i := slices.IndexFunc(attempts, func(t attempt) bool { return t.id == args[0] })
			text, err := a.attempt(attempts[i])
			if err != nil {
				return "refused: " + err.Error()
			}
			return "done: " + text
		},
		"undo": func([]string) string {
			var errs []error
			for _, fn := range slices.Backward(a.undo) {
				errs = append(errs, fn())
			}
			a.undo = nil
			return answer("", errors.Join(errs...))
		},
	}, nil
}

func (a *attacker) join() (err error) {
	if a.dialed, err = ring.Dial(context.Background(), a.socket); err != nil {
		return err
	}
	if a.consumer, err = a.dialed.NewConsumer(ring.ConsumerConfig{Name: "hostile", Policy: ring.Lossy}); err != nil {
		return err
	}
	if a.ring, a.slot, err = handed("self"); err != nil {
		return err
	}
	size, err := sizeOf(a.ring)
	if err != nil {
		return err
	}
	if a.view, err = unix.Mmap(a.ring, 0, size, unix.PROT_READ, unix.MAP_SHARED); err != nil {
		return err
	}
	if a.own, err = unix.Mmap(a.slot, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return err
	}
	a.scratch, err = unix.Mmap(-1, 0, 16*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	return err
}

// attempt turns a fault into an answer.
func (a *attacker) attempt(t attempt) (text string, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a fault: %v", p)
		}
	}()
	return t.try(a)
}

// later undoes something before the next attempt.
func (a *attacker) later(fn func() error) { a.undo = append(a.undo, fn) }

func (a *attacker) closeLater(fd int) {
	a.later(func() error { return unix.Close(fd) })
}

// proc is a path below /proc/PRODUCER.
func (a *attacker) proc(rest string) string {
	return fmt.Sprintf("/proc/%d/%s", a.producer, rest)
}

// call is a system call that Go has no function for.
func call(nr uintptr, args ...uintptr) (int, error) {
	var six [6]uintptr
	copy(six[:], args)
	r, _, errno := unix.Syscall6(nr, six[0], six[1], six[2], six[3], six[4], six[5])
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}

// result words what a call that gave back a number did.
func result(n int, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("got %d", n), nil
}

// did words a call that gave back nothing but an error.
func did(what string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return what, nil
}

// opened tries to write to what a path leads to, in three ways: a descriptor
// for writing, one for reading with which it maps for writing, and pwrite.
func (a *attacker) opened(path string) (string, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		var rerr error
		if fd, rerr = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0); rerr != nil {
			return "", fmt.Errorf("for writing: %w, for reading: %w", err, rerr)
		}
	}
	defer unix.Close(fd)
	return a.written(fd)
}

func (a *attacker) written(fd int) (string, error) {
	_, err := unix.Pwrite(fd, mark, producerWords)
	if err == nil {
		return "written", nil
	}
	b, merr := unix.Mmap(fd, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if merr != nil {
		return "", fmt.Errorf("pwrite: %w, mmap: %w", err, merr)
	}
	copy(b[8:], mark)
	return "mapped and written", unix.Munmap(b)
}

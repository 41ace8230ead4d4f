//go:build linux && !carousel_portable

package hostile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/ring"
)

// By way of slots: the attacker's own, to which it may write whatever it likes,
// and the witness's.
var slotAttempts = []attempt{
	{"slot-truncate", "truncate its slot: the producer would get SIGBUS", none, func(a *attacker) (string, error) {
		return did("shrunk", unix.Ftruncate(a.slot, 0))
	}},
	{"slot-grow", "make its slot larger", none, func(a *attacker) (string, error) {
		return did("grown", unix.Ftruncate(a.slot, 1<<30))
	}},
	{"slot-seal", "seal its slot against the producer's writing", none, func(a *attacker) (string, error) {
		return result(unix.FcntlInt(uintptr(a.slot), unix.F_ADD_SEALS, unix.F_SEAL_WRITE))
	}},
	{"slot-hole", "punch a hole where its slot is", none, func(a *attacker) (string, error) {
		a.restoreLater()
		return did("punched", unix.Fallocate(a.slot, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, page))
	}},
	{"slot-ones", "fill its slot with ones", none, func(a *attacker) (string, error) {
		a.restoreLater()
		for i := range a.own {
			a.own[i] = 0xff
		}
		return "filled", nil
	}},
	{"slot-left", "say that it has left, and be there", none, func(a *attacker) (string, error) {
		a.restoreLater()
		put64(a.own, slotCursor, ^uint64(0))
		return "said", nil
	}},
	{"slot-ahead", "say that it has released what is not written yet", none, func(a *attacker) (string, error) {
		a.restoreLater()
		put64(a.own, slotCursor, 1<<63)
		return "said", nil
	}},
	{"slot-back", "say that it is at the beginning, as a reliable consumer of another generation", none, func(a *attacker) (string, error) {
		a.restoreLater()
		put64(a.own, slotCursor, ^uint64(0))
		put32(a.own, slotPolicy, 0)
		put64(a.own, slotGeneration, 12345)
		put64(a.own, slotCursor, 0)
		return a.gate(ring.Lossy) // whoever joins has the producer look at all slots anew
	}},
	{"slot-waiting", "say at every moment that it waits", none, func(a *attacker) (string, error) {
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for {
				select {
				case <-stop:
					return
				default:
					put32(a.own, slotWaiting, 1)
				}
			}
		}()
		a.later(func() error { close(stop); <-done; return nil })
		return "saying it", nil
	}},
	{"gate", "join as a reliable consumer that never reads", none, func(a *attacker) (string, error) {
		return a.gate(ring.Reliable)
	}},
	{"gate-deadline", "join with a deadline of 290 years", none, func(a *attacker) (string, error) {
		return a.gate(ring.Deadline(1<<63 - 1))
	}},
	{"ghost", "leave, keep the memory of its slot, and go on there as ever new reliable consumers", none, func(a *attacker) (string, error) {
		return a.haunt()
	}},
	{"join-again", "join a second time with the one slot", none, func(a *attacker) (string, error) {
		_, err := a.dialed.NewConsumer(ring.ConsumerConfig{})
		return did("joined", err)
	}},
	{"produce", "become the producer", none, func(a *attacker) (string, error) {
		_, err := a.dialed.NewProducer()
		return did("became it", err)
	}},
	{"every-slot", "take every slot", none, func(a *attacker) (string, error) {
		n := 0
		for {
			r, err := ring.Dial(context.Background(), a.socket)
			if err != nil {
				return fmt.Sprintf("%d taken, then: %v", n, err), nil
			}
			n++
			a.later(r.Close)
		}
	}},
	{"witness-slot", "write to the witness's slot by /proc/PID/fd", superior, func(a *attacker) (string, error) {
		_, slot, err := handed(fmt.Sprint(a.honest))
		if err != nil {
			return "", err
		}
		fd, err := unix.Open(fmt.Sprintf("/proc/%d/fd/%d", a.honest, slot), unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return "", err
		}
		defer unix.Close(fd)
		return result(unix.Pwrite(fd, mark, 0))
	}},
	{"witness-getfd", "take the witness's slot by pidfd_getfd, and write to it", superior, func(a *attacker) (string, error) {
		_, slot, err := handed(fmt.Sprint(a.honest))
		if err != nil {
			slot = 7
		}
		fd, err := stolen(a.honest, slot)
		if err != nil {
			return "", err
		}
		defer unix.Close(fd)
		return result(unix.Pwrite(fd, mark, 0))
	}},
	{"witness-stop", "stop the witness", superior, func(a *attacker) (string, error) {
		a.later(func() error { return unix.Kill(a.honest, unix.SIGCONT) })
		return did("stopped", unix.Kill(a.honest, unix.SIGSTOP))
	}},
}

// restoreLater brings back what is in its slot now.
func (a *attacker) restoreLater() {
	was := bytes.Clone(a.own)
	a.later(func() error { copy(a.own, was); return nil })
}

// gate joins anew, in a slot of its own, and does nothing more.
func (a *attacker) gate(p ring.Policy) (string, error) {
	r, err := ring.Dial(context.Background(), a.socket)
	if err != nil {
		return "", err
	}
	a.later(r.Close)
	c, err := r.NewConsumer(ring.ConsumerConfig{Name: "gate", Policy: p})
	if err != nil {
		return "", err
	}
	a.later(c.Close)
	return "joined", nil
}

// haunt leaves a slot of its own and goes on writing to it.
func (a *attacker) haunt() (string, error) {
	r, err := ring.Dial(context.Background(), a.socket)
	if err != nil {
		return "", err
	}
	c, err := r.NewConsumer(ring.ConsumerConfig{Name: "ghost", Policy: ring.Lossy})
	if err != nil {
		return "", errors.Join(err, r.Close())
	}
	_, fd, err := handed("self") // the newest
	if err != nil {
		return "", err
	}
	own, err := unix.Mmap(fd, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err = errors.Join(err, c.Close(), r.Close()); err != nil {
		return "", err
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for n := uint64(1 << 40); ; n++ {
			select {
			case <-stop:
				return
			default:
				put32(own, slotPolicy, 0)
				put64(own, slotGeneration, n)
				put64(own, slotCursor, 0)
			}
		}
	}()
	a.later(func() error { close(stop); <-done; return unix.Munmap(own) })
	time.Sleep(5 * time.Millisecond) // the producer has noticed that it left
	return a.gate(ring.Lossy)        // whoever joins has the producer look at all slots anew
}

// stolen copies a descriptor of another process.
func stolen(pid, fd int) (int, error) {
	p, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(p)
	fd, err = unix.PidfdGetfd(p, fd, 0)
	if err != nil {
		return -1, errors.Join(fmt.Errorf("pidfd_getfd: %w", err))
	}
	return fd, nil
}

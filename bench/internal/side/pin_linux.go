package side

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// AllowedCPUs are those that this process may run on.
func AllowedCPUs() (cpus []int) {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return nil
	}
	for cpu := 0; len(cpus) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

// PinThread binds the calling thread alone.
func PinThread(cpus ...int) error { return os.NewSyscallError("sched_setaffinity", bind(0, cpus)) }

func bind(tid int, cpus []int) error {
	var set unix.CPUSet
	for _, c := range cpus {
		set.Set(c)
	}
	return unix.SchedSetaffinity(tid, &set)
}

// pin binds every thread of this process. Threads inherit that from the one
// that starts them, so it is done when a pass finds none that is new.
func pin(cpus []int) error {
	done := map[string]bool{}
	for {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		before := len(done)
		for _, t := range tasks {
			if done[t.Name()] {
				continue
			}
			tid, err := strconv.Atoi(t.Name())
			if err != nil {
				return err
			}
			if err := bind(tid, cpus); err != nil && err != unix.ESRCH {
				return os.NewSyscallError("sched_setaffinity", err)
			}
			done[t.Name()] = true
		}
		if len(done) == before {
			return nil
		}
	}
}

package seccomp

import "syscall"

// A Filter is a list of rules; the first that fits decides, and a call that
// none fits goes through.
type Filter []Rule

// A Rule answers a system call with an errno instead of doing it.
type Rule struct {
	Call   uint32 // its number on this architecture (unix.SYS_…)
	Beyond bool   // every call of a higher number instead
	When   []Arg  // which have to fit, all of them
	Errno  syscall.Errno
}

// An Arg is a condition on the low 32 bits of an argument.
type Arg struct {
	Index int // from 0
	Mask  uint32
	Value uint32 // of the masked bits
	Not   bool   // any other value
}

// Refuse answers each of the calls with errno.
func Refuse(errno syscall.Errno, calls ...uint32) (f Filter) {
	for _, c := range calls {
		f = append(f, Rule{Call: c, Errno: errno})
	}
	return f
}

package side

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// traced runs the job in a process of its own and counts that one's system
// calls, of all threads, from its first to its last instruction. What a trace
// slows down is the calls; between them the process runs as ever.
func traced(j Job) (o Outcome, err error) {
	j.Trace = false
	// A tracee belongs to a thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	self, err := os.Executable()
	if err != nil {
		return o, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return o, err
	}
	defer r.Close()
	defer w.Close()
	hold, held, err := os.Pipe()
	if err != nil {
		return o, err
	}
	defer hold.Close()
	defer held.Close()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), Variable+"="+j.String())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = hold, w, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return o, fmt.Errorf("%w: cannot trace: %w", ErrMissing, err)
	}
	calls, status, err := countCalls(cmd.Process.Pid)
	if err != nil {
		return o, err
	}
	if status.ExitStatus() != 0 {
		return o, fmt.Errorf("the traced process ended with status %d", status.ExitStatus())
	}
	w.Close()
	var said bytes.Buffer
	if _, err := said.ReadFrom(r); err != nil {
		return o, err
	}
	if err := json.Unmarshal(said.Bytes(), &o); err != nil {
		return o, fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	name := "send calls"
	if j.Side > 0 {
		name = "receive calls"
	}
	o.set(name, float64(calls)/float64(max(o.Messages, 1)))
	return o, nil
}

// countCalls follows the stopped process and all its threads to its end.
func countCalls(pid int) (calls uint64, status unix.WaitStatus, err error) {
	const options = unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL
	if _, err := unix.Wait4(pid, &status, unix.WALL, nil); err != nil {
		return 0, status, os.NewSyscallError("wait4", err)
	}
	if err := unix.PtraceSetOptions(pid, options); err != nil {
		return 0, status, os.NewSyscallError("ptrace", err)
	}
	inside := map[int]bool{}
	for tid, signal := pid, 0; ; {
		if tid > 0 {
			// A thread that is being killed is not there to be told to go on.
			if err := unix.PtraceSyscall(tid, signal); err != nil && err != unix.ESRCH {
				return 0, status, os.NewSyscallError("ptrace", err)
			}
		}
		signal = 0
		tid, err = unix.Wait4(-1, &status, unix.WALL, nil)
		switch {
		case err == unix.EINTR:
			tid = 0
		case err != nil:
			return 0, status, os.NewSyscallError("wait4", err)
		case status.Exited() || status.Signaled():
			if tid == pid {
				return calls, status, nil
			}
			tid = 0
		case status.StopSignal() == unix.SIGTRAP|0x80:
			if inside[tid] = !inside[tid]; inside[tid] {
				calls++
			}
		case status.StopSignal() != unix.SIGTRAP && status.StopSignal() != unix.SIGSTOP:
			signal = int(status.StopSignal())
		}
	}
}

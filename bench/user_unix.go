//go:build unix

package main

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// canBe reports whether processes of that user can be started.
func canBe(uint32) bool { return os.Geteuid() == 0 && runtime.GOOS == "linux" }

// become makes cmd, which is this program, run as that user, who need not be
// able to get to its file.
func become(cmd *exec.Cmd, uid uint32) {
	cmd.Path = "/proc/self/exe"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
}

package confined

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/internal/seccomp"
)

// A Place is where a child runs. The zero value is where its parent does.
type Place struct {
	Namespaces uintptr // CLONE_NEW… that it has for itself
	Outside    int     // with CLONE_NEWUSER: the user that is 0 in it, as it is called outside
	Mounts     []Mount // in its mount namespace, in order
	Filter     seccomp.Filter
	User       uint32 // that it becomes at last; 0: stays
}

// A Mount is the arguments of mount(2). A target that is missing is made.
type Mount struct {
	Source, Target, Type string
	Flags                uintptr
	Data                 string
}

// Container has all the namespaces that a container runtime makes, and a /proc
// that fits them.
func Container(mounts ...Mount) Place {
	return Place{
		Namespaces: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP,
		Mounts:     append([]Mount{{Source: "proc", Target: "/proc", Type: "proc"}}, mounts...),
	}
}

// Bind makes a folder visible at another path.
func Bind(source, target string) Mount {
	return Mount{Source: source, Target: target, Flags: unix.MS_BIND | unix.MS_REC}
}

// Tmpfs is an empty one.
func Tmpfs(target, options string) Mount {
	return Mount{Source: "tmpfs", Target: target, Type: "tmpfs", Data: options}
}

// ReadOnly forbids to write to what is mounted at target;
// what is mounted below it stays as it is.
func ReadOnly(target string) Mount {
	return Mount{Target: target, Flags: unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY}
}

// placeEnv tells a child where it is to be.
const placeEnv = "CAROUSEL_TEST_PLACE"

// mapped is how many users a user namespace of a Place has.
const mapped = 65536

// Command is exec.Command in a place. The program is found, and executed, from
// within it.
func Command(p Place, program string, args ...string) *exec.Cmd {
	return CommandBy(os.Args[0], p, program, args...)
}

// CommandBy is Command for a place in which this binary cannot be reached under
// its own path: binary is a copy that can be.
func CommandBy(binary string, p Place, program string, args ...string) *exec.Cmd {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // there is nothing in it that could not be encoded
	}
	cmd := exec.Command(binary, append([]string{program}, args...)...)
	cmd.Env = append(os.Environ(), placeEnv+"="+string(text))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: p.Namespaces}
	if p.Namespaces&unix.CLONE_NEWUSER != 0 {
		ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: p.Outside, Size: mapped}}
		cmd.SysProcAttr.UidMappings, cmd.SysProcAttr.GidMappings = ids, ids
		cmd.SysProcAttr.GidMappingsEnableSetgroups = true
		cmd.SysProcAttr.Credential = &syscall.Credential{} // 0 in it
	}
	return cmd
}

// Enter returns at once, except in a child that Command started: there it ends
// as the program that was meant, or with a message and status 125.
func Enter() {
	text := os.Getenv(placeEnv)
	if text == "" {
		return
	}
	err := enter([]byte(text), os.Args[1:])
	fmt.Fprintln(os.Stderr, "confined:", err)
	os.Exit(125)
}

func enter(text []byte, argv []string) error {
	var p Place
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	if err := os.Unsetenv(placeEnv); err != nil {
		return err
	}
	if p.Namespaces&unix.CLONE_NEWNS != 0 {
		if err := p.mount(); err != nil {
			return err
		}
	}
	if p.User != 0 {
		if err := become(int(p.User)); err != nil {
			return err
		}
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	if len(p.Filter) > 0 {
		if err := seccomp.Install(p.Filter); err != nil {
			return err
		}
	}
	return fmt.Errorf("execute %s: %w", path, syscall.Exec(path, argv, os.Environ()))
}

func (p Place) mount() error {
	// Nothing of this is to reach the namespace that it was copied from.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	for _, m := range p.Mounts {
		if _, err := os.Stat(m.Target); err != nil {
			if err := os.MkdirAll(m.Target, 0o755); err != nil {
				return err
			}
		}
		if err := unix.Mount(m.Source, m.Target, m.Type, m.Flags, m.Data); err != nil {
			return fmt.Errorf("mount %+v: %w", m, err)
		}
	}
	return nil
}

func become(user int) error {
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setresgid(user, user, user); err != nil {
		return err
	}
	return syscall.Setresuid(user, user, user)
}

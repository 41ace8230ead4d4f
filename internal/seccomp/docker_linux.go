package seccomp

import "golang.org/x/sys/unix"

// Docker is what Docker's profile refuses to a container that was given no
// capability: the profile names what is allowed, this is the rest of it. For
// everything newer than the calls that it knows, the runtime answers ENOSYS.
func Docker() Filter { return docker(unix.SYS_SET_MEMPOLICY_HOME_NODE) }

// DockerBeforeWaitv is the profile as it was before it knew futex_waitv, and
// process_mrelease was the newest call in it.
func DockerBeforeWaitv() Filter { return docker(unix.SYS_PROCESS_MRELEASE) }

// DockerBeforeMembarrier is the profile of years ago, by which membarrier was
// refused as what must not be done. The runtimes of that time said the same of
// all that they did not know. (They said it of rseq, too; the C library of
// today does not even start then.)
func DockerBeforeMembarrier() Filter {
	f := Refuse(unix.EPERM, unix.SYS_MEMBARRIER, unix.SYS_OPENAT2, unix.SYS_FACCESSAT2, unix.SYS_PIDFD_OPEN,
		unix.SYS_CLOSE_RANGE, unix.SYS_EPOLL_PWAIT2)
	f = append(f, Rule{Call: unix.SYS_PIDFD_GETFD, Beyond: true, Errno: unix.EPERM})
	return append(f, docker(unix.SYS_PIDFD_GETFD)...)
}

// docker refuses what only a capability opens. newest is the highest number
// that the profile names.
func docker(newest uint32) Filter {
	f := Filter{
		{Call: newest, Beyond: true, Errno: unix.ENOSYS},
		{Call: unix.SYS_CLONE3, Errno: unix.ENOSYS}, // so that programs take clone, the flags of which can be seen
		{Call: unix.SYS_CLONE, When: []Arg{{Index: 0, Mask: namespaces, Not: true}}, Errno: unix.EPERM},
		{Call: unix.SYS_SOCKET, When: []Arg{{Index: 0, Mask: ^uint32(0), Value: unix.AF_VSOCK}}, Errno: unix.EPERM},
	}
	return append(f, Refuse(unix.EPERM,
		unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT,
		unix.SYS_FSOPEN, unix.SYS_FSMOUNT, unix.SYS_UNSHARE, unix.SYS_SETNS,
		unix.SYS_PIDFD_GETFD, unix.SYS_KCMP, unix.SYS_PROCESS_MADVISE, unix.SYS_OPEN_BY_HANDLE_AT,
		unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL, unix.SYS_USERFAULTFD,
		unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_SYSLOG, unix.SYS_ACCT, unix.SYS_QUOTACTL,
		unix.SYS_MBIND, unix.SYS_SET_MEMPOLICY, unix.SYS_GET_MEMPOLICY, unix.SYS_MOVE_PAGES, unix.SYS_MIGRATE_PAGES,
		unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_REBOOT, unix.SYS_SWAPON, unix.SYS_SWAPOFF,
		unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD,
		unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER)...)
}

// namespaces are the flags of clone that make one.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

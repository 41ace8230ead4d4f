// Package confined puts the children of tests into places of their own: other
// namespaces, mounts, a filter of system calls, another user. It makes what a
// container runtime makes, without one.
//
// A test binary calls [Enter] before anything else, and [Command] in place of
// exec.Command. The child is this binary in new namespaces; Enter finishes the
// place there and executes the program that was meant, under the same process
// id. A kill of the child is a kill of that program.
//
// # What is tried
//
//	where                                            what                          test
//	membarrier, futex_waitv refused: EPERM, ENOSYS,  delivery, cancel, Close,      ring TestConfined
//	  on both sides, on one, once the ring is in use   death both ways, the fence
//	Docker's filter: now, and of two earlier times   the same                      ring TestConfined
//	two containers: pid, mount, net, ipc, uts,       the same                      ring TestConfined
//	  cgroup and user namespaces, without /proc
//	two containers, read-only root, no HOME, nobody  commands, real input, SHA-256 TestBetweenContainers
//	/dev/shm of 64 MiB, too small, full              commands, errors, leftovers   TestSmallMemory
//	/dev/shm absent, on a disk, read-only, another's commands, errors, instead     TestNoMemory
//	producer root, consumers another user            lines, len32, all             TestTwoUsers
//	users that a user namespace does not tell apart  refused                       TestUsersThatCannotBeToldApart
//	29 system calls, each failing in 6 ways          commands: do without, or say  TestFaults
//	programs of 32 and of 64 bits                    commands, both directions     TestWordSizes
//
// With CAROUSEL_REAL=1 the input is all of the Go toolchain's sources, and with
// CAROUSEL_FAULTS=1 every call fails in every way with every medium, not a
// seventh of them.
package confined

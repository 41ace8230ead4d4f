// Package seccomp has the kernel refuse system calls of this process, for
// tests of what happens where a container, a sandbox or an old kernel does.
//
// A [Filter] says which calls are answered with which errno. [Install] puts it
// on all threads of the process; it holds for whatever the process executes
// afterwards and cannot be taken off. So a test starts itself anew, and the
// child installs the filter before it does, or executes, what is to be tried.
// Filters travel to the child as JSON.
//
// [Docker] is the filter that Docker puts on containers without capabilities,
// as far as it refuses anything that exists.
package seccomp

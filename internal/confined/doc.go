// Package confined puts the children of tests into places of their own: other
// namespaces, mounts, a filter of system calls, another user. It makes what a
// container runtime makes, without one.
//
// A test binary calls [Enter] before anything else, and [Command] in place of
// exec.Command. The child is this binary in new namespaces; Enter finishes the
// place there and executes the program that was meant, under the same process
// id. A kill of the child is a kill of that program.
//
// The tests of this package run the commands in such places; package ring has
// tests of its own that do.
package confined

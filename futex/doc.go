// Package futex waits on a 32-bit word in memory, wakes those who wait on it,
// and makes the running threads of other processes pass a memory barrier. It
// does nothing else.
//
// The words may lie in memory that several processes share, through mappings
// that may be read-only: the kernel finds a word by the page behind the
// address, not by the address. Whoever changes a word and then calls [Wake]
// wakes everybody who slept on the old value; nobody who comes later falls
// asleep, because the kernel compares the word once more before it lets the
// thread sleep. What remains for callers is to change the word before they
// wake, and to look at their own condition again whenever a wait returns:
// every wait may return early.
//
// A goroutine that sleeps here occupies an operating system thread, but no
// processor of the Go scheduler, and it does not hold up garbage collection.
//
// # Systems other than Linux
//
// Elsewhere, and on Linux under the build tag carousel_portable, there is no
// wait that works between processes. [Wait] and [WaitEither] then poll with
// short sleeps, [Wake] and [WakeOwn] have no effect, and [Register] and
// [Barrier] refuse.
package futex

// Package shm holds what shared memory is made of: regions, the files behind
// them, the locks that prove who is alive, and the watch for those who died.
// It knows nothing of what is in the memory.
//
// # Regions
//
// A [Region] is page-aligned memory: a mapped [File], anonymous memory, or
// plain heap memory, where the race detector works. Views of it end with
// [Region.Unmap]; [Region.Blank] makes stale views harmless before that.
//
// # Files
//
// [Create] makes a file without a name, with all its storage, and
// [File.Publish] names it in one step when its content is ready: nobody ever
// opens half a file, and a full file system is an error at Create instead of a
// SIGBUS at some later store. [Open] trusts a file only if nobody but its own
// user can have made or changed it.
//
// # Sealed memory
//
// [CreateMemfd] makes a file that never has a name, [File.Seal] has the kernel
// promise who may write to it and that its size stays, [Send] and [Receive]
// hand it over a Unix socket, and [OpenMemfd] believes only the seals. Memory of
// several files becomes one region by [Reserve] and [Region.Overlay].
//
// # Life locks
//
// A process that wants to be known alive holds a [Lock] on a role of a file.
// The kernel drops it when the process ends, however it ends. No process id is
// ever looked at: ids are reused, and mean something else in a container.
// [File.Held] asks, [File.Watch] tells when to ask again.
//
// # Systems
//
// On Linux locks are open-file-description locks on bytes far beyond the end
// of the file, and inotify tells of closed files. Elsewhere, and on Linux under
// the build tag carousel_portable, each role has a lock file PATH.lock.N,
// watches poll, files have a temporary name before they are published, and
// mapping goes through mmap-go. There the locks belong to the path: those of a
// file that was removed cannot be taken while somebody holds one of a new file of
// the same name, and count as free when they are looked at.
package shm

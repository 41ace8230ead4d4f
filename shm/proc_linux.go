//go:build linux && !carousel_portable

package shm

import "strconv"

// procFD is the path that names what a descriptor of this process has open,
// whether or not that still has a name of its own.
func procFD(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

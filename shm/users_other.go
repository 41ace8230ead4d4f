//go:build !linux

package shm

// anybody: there are no user namespaces.
func anybody(uint32) bool { return false }

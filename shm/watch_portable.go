//go:build !linux || carousel_portable

package shm

func newSource() source { return newClock() }

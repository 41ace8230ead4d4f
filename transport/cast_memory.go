//go:build !race

package transport

import "github.com/carousel-ipc/carousel/shm"

// castMemory is what the ring of a cast is made in.
func castMemory(n int) (*shm.Region, error) { return shm.Heap(n), nil }

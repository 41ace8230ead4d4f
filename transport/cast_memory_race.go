//go:build race

package transport

import "github.com/carousel-ipc/carousel/shm"

// castMemory is memory that the race detector does not see. A sender copies for
// a consumer that may be overrun or evicted, while the producer's user may
// already be filling the same bytes again; such a copy is refused behind it,
// and is no race of the user's.
func castMemory(n int) (*shm.Region, error) { return shm.Anonymous(n) }

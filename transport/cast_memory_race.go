//go:build race

package transport

import (
	"errors"

	"github.com/carousel-ipc/carousel/ring"
	"github.com/carousel-ipc/carousel/shm"
)

// castRing makes the ring of a cast in memory that the race detector does not
// see. A sender copies for a consumer that may be overrun or evicted, while the
// producer's user may already be filling the same bytes again; such a copy is
// refused behind it, and is no race of the user's. The mapping stays, empty,
// since the user may hold what Reserve returned.
func castRing(cfg ring.Config) (r *ring.Ring, forget func() error, err error) {
	n, err := ring.Size(cfg)
	if err != nil {
		return nil, nil, err
	}
	memory, err := shm.Anonymous(n)
	if err != nil {
		return nil, nil, err
	}
	r, err = ring.Format(memory.Bytes(), cfg)
	if err != nil {
		return nil, nil, errors.Join(err, memory.Unmap())
	}
	return r, memory.Blank, nil
}

//go:build !unix

package main

import (
	"errors"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

func fifo() contestant {
	return plainGo("FIFO", "", nil, func(side.Job) (side.End, error) { return nil, errors.ErrUnsupported })
}

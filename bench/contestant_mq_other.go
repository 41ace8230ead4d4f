//go:build !linux

package main

import (
	"errors"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

func messageQueue() contestant {
	return plainGo("POSIX message queue", "", nil, func(side.Job) (side.End, error) { return nil, errors.ErrUnsupported })
}

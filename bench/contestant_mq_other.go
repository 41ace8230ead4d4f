//go:build !linux

package main

import (
	"errors"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

func messageQueue() contestant { return noQueue("POSIX message queue") }
func shallowQueue() contestant { return noQueue("POSIX message queue, 10 deep") }

func noQueue(name string) contestant {
	return plainGo(name, "", nil, func(side.Job) (side.End, error) { return nil, errors.ErrUnsupported })
}

func queueName(j side.Job, _ int) string { return j.Link }

// Package mqueue is the POSIX message queue of the kernel, by raw system calls
// and through the runtime's poller: a wait takes no thread and ends with a
// deadline.
package mqueue

import (
	"errors"
	"fmt"
)

// MaxPriority is the largest priority of a message. Larger ones are received
// first; among those of one priority the oldest is.
const MaxPriority = 32767

// ErrFull and ErrEmpty: the queue has no room, or no message, now.
var (
	ErrFull  = errors.New("mqueue: the queue is full")
	ErrEmpty = errors.New("mqueue: the queue is empty")
)

// Size is how many messages a queue holds and how long one may be, in bytes.
type Size struct{ Messages, Bytes int }

func (s Size) String() string { return fmt.Sprintf("%d messages of %d bytes", s.Messages, s.Bytes) }

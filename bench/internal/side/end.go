package side

import (
	"errors"
	"fmt"
	"io"
)

// A Contestant is one way to carry messages between the sides.
type Contestant struct {
	Name string
	// Join makes this process a side. It is called before the process is
	// pinned; for idle work once for each consumer.
	Join func(Job) (End, error)
	// Pair, instead of Join, makes both sides in one process.
	Pair func(Job) ([2]End, error)
	// Loose contestants wait in the Go scheduler, which a goroutine that is
	// locked to its thread makes slower.
	Loose bool
}

// An End is one side of a link. Messages are numbers, counted for each
// direction; only the paced work sends others than 0, 1, 2 …
type End interface {
	// Send sends the messages from up to, but not including, to.
	Send(from, to uint64) error
	// Receive checks the messages from up to, but not including, to. It stops
	// before them with io.EOF when the other side has closed, and tells in any
	// case which message comes next.
	Receive(from, to uint64) (next uint64, err error)
	// Close ends what is sent. The other side still receives all of it.
	Close() error
}

// ErrMissing: this machine has not what the contestant needs.
var ErrMissing = errors.New("missing")

// ErrWrong is what Receive returns when it finds something else than message n.
func ErrWrong(n uint64) error { return fmt.Errorf("wanted message %d, found something else", n) }

// Received is what Receive returns at an error: io.EOF as such.
func Received(n uint64, err error) (uint64, error) {
	if errors.Is(err, io.EOF) {
		err = io.EOF
	}
	return n, err
}

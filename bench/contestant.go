package main

import (
	"errors"
	"fmt"
	"os"
)

// A contestant is one way to carry messages between two processes.
type contestant struct {
	name  string
	plain bool // what the others are compared with
	// lay makes, in the parent, what the two sides meet on.
	lay func(*link) error
	// join is called by each side in its own process, before it is pinned.
	join func(job) (end, error)
}

// An end is one side of a link. Messages are numbered from 0 in each direction.
type end interface {
	// send sends the messages from up to, but not including, to.
	send(from, to uint64) error
	// receive checks the messages from up to, but not including, to. It stops
	// before them with io.EOF when the other side has closed, and tells in any
	// case which message comes next.
	receive(from, to uint64) (next uint64, err error)
	// close ends what is sent. The other side still receives all of it.
	close() error
}

// A link is what a contestant lays between two sides.
type link struct {
	name  string        // no other link has it
	files [2][]*os.File // for each side to inherit, from descriptor 3
	undo  []func() error
}

// handOver closes the files here, once the sides have them.
func (l *link) handOver() {
	for _, files := range l.files {
		for _, f := range files {
			f.Close()
		}
	}
	l.files = [2][]*os.File{}
}

// remove leaves nothing of the link.
func (l *link) remove() (err error) {
	l.handOver()
	for _, undo := range l.undo {
		err = errors.Join(err, undo())
	}
	return err
}

func errWrong(n uint64) error { return fmt.Errorf("wanted message %d, found something else", n) }

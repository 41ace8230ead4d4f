package main

import (
	"errors"
	"os"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// A contestant is one way to carry messages, or a limit of the machine.
type contestant struct {
	side.Contestant
	// about says how it is set up.
	about string
	kind  kind
	// program and mode are those of a side in C; without, this program is.
	program, mode string
	// peer: a side of the program of bench/peers.
	peer bool
	// uid is the user of the sides that receive; 0: that of the bench.
	uid uint32
	// lay makes, in the parent, what the sides meet on.
	lay func(*link, side.Job) error
}

// kind is what a contestant is shown as.
type kind string

const (
	limit   kind = "limit" // what the machine can do
	inC     kind = "c"     // a ring in C
	ours    kind = "ring"
	plain   kind = "go" // what Go has
	foreign kind = "peer"
)

// A link is what a contestant lays between the sides.
type link struct {
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

package ring

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/carousel-ipc/carousel/shm"
)

// Invite returns a place on a served ring in the form of a file, for a child
// process to inherit (exec.Cmd.ExtraFiles), which attaches with Inherit. It
// needs no socket with a name. The file is the proof of life of whoever holds
// it: close it as soon as the child has been started, else its death goes
// unnoticed. Of each call comes one place, for one consumer, who counts as one
// of this process's own user. errors.ErrUnsupported where the ring is not
// served by this process.
func (r *Ring) Invite() (*os.File, error) {
	if err := r.use(); err != nil {
		return nil, err
	}
	defer r.unuse()
	b, ok := r.backing.(*servedBacking)
	if !ok {
		return nil, fmt.Errorf("%w: invitations to a ring that this process does not serve", errors.ErrUnsupported)
	}
	ours, theirs, err := shm.Pair()
	if err != nil {
		return nil, err
	}
	shm.TakeNothing(ours)
	if !b.greet(ours) {
		return nil, errors.Join(errOneProducer, theirs.Close())
	}
	go b.serve(ours, 0) // the child may take its time to start
	return theirs, nil
}

// Inherit attaches to a ring to which this process was invited (Invite), and
// takes f over. In a child, f is os.NewFile(3+i, "") for ExtraFiles[i]. Errors
// are those of Dial.
func Inherit(ctx context.Context, f *os.File) (*Ring, error) {
	conn, err := net.FileConn(f) // a copy, closed on exec
	err = errors.Join(err, f.Close())
	if err != nil {
		return nil, err
	}
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%w: invitation of kind %T, want a connected Unix socket", ErrFormat, conn), conn.Close())
	}
	return takePlace(ctx, c, hurry(ctx, c), "invitation")
}

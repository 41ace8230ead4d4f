package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// input hands over what a reader yields, in large blocks that a goroutine of
// its own reads ahead. So a wait for input ends when ctx does, which a read of
// standard input cannot, and it shows when the input pauses.
//
// The goroutine ends with the reader, or with the read that is in flight when
// close is called.
type input struct {
	ctx   context.Context
	pause func() error // called before each wait for input; never nil
	full  chan block
	free  chan []byte
	last  error // what ended the reader, once its blocks are used up

	block []byte // the one being read, to be given back
	rest  []byte // what of it has not been read
}

type block struct {
	bytes []byte
	err   error // what ended the reader behind these bytes
}

const (
	blockSize  = 256 << 10
	blockCount = 3 // one being read into, one waiting, one being split
)

// newInput begins to read r. whole: each block but the last is filled to size.
func newInput(ctx context.Context, r io.Reader, size int, whole bool, pause func() error) *input {
	in := &input{
		ctx:   ctx,
		pause: pause,
		full:  make(chan block, blockCount),
		free:  make(chan []byte, blockCount),
	}
	for range blockCount {
		in.free <- make([]byte, size)
	}
	read := readSome
	if whole {
		read = readFull
	}
	go func() {
		for buf := range in.free {
			n, err := read(r, buf)
			in.full <- block{buf[:n], err}
			if err != nil {
				return
			}
		}
	}()
	return in
}

func (in *input) close() { close(in.free) }

// readSome is one Read that brought something, or an error.
func readSome(r io.Reader, buf []byte) (int, error) {
	for range 100 {
		if n, err := r.Read(buf); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

func readFull(r io.Reader, buf []byte) (int, error) {
	n, err := io.ReadFull(r, buf)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}

// take hands over a block that is not empty; the caller gives it back. After
// the last: io.EOF, or an error that names standard input. ctx's error when
// that ends first.
func (in *input) take() ([]byte, error) {
	for {
		if in.last != nil {
			return nil, in.last
		}
		if err := in.ctx.Err(); err != nil {
			return nil, err
		}
		var b block
		select {
		case b = <-in.full:
		default:
			if err := in.pause(); err != nil {
				return nil, err
			}
			select {
			case b = <-in.full:
			case <-in.ctx.Done():
				return nil, in.ctx.Err()
			}
		}
		if in.last = b.err; b.err != nil && b.err != io.EOF {
			in.last = fmt.Errorf("reading standard input: %w", b.err)
		}
		if len(b.bytes) > 0 {
			return b.bytes, nil
		}
	}
}

func (in *input) give(b []byte) { in.free <- b[:cap(b)] }

// fill makes rest not empty, if there is anything; errors are those of take.
func (in *input) fill() error {
	if len(in.rest) > 0 {
		return nil
	}
	if in.block != nil {
		in.give(in.block)
		in.block = nil
	}
	b, err := in.take()
	in.block, in.rest = b, b
	return err
}

// copy fills dst. At the end of the input it returns how much there was and
// io.EOF, with which it is up to the caller whether that is in order.
func (in *input) copy(dst []byte) (int, error) {
	done := 0
	for done < len(dst) {
		if err := in.fill(); err != nil {
			return done, err
		}
		n := copy(dst[done:], in.rest)
		in.rest = in.rest[n:]
		done += n
	}
	return done, nil
}

// Read makes input an io.Reader, for package frame.
func (in *input) Read(p []byte) (int, error) {
	if err := in.fill(); err != nil {
		return 0, err
	}
	n := copy(p, in.rest)
	in.rest = in.rest[n:]
	return n, nil
}

// interrupted tells whether err is the end of a context, which is how a signal
// ends a run: in good order.
func interrupted(err error) bool {
	return errors.Is(err, context.Canceled)
}

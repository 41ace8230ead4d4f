package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gvisor.dev/gvisor/pkg/flipcall"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

const window = 64 << 10

// flipEnd is one side of calls: what it sends goes with the next wait for what
// the other says.
type flipEnd struct {
	*flipcall.Endpoint
	data   []byte
	client bool
	first  bool
}

func joinFlipcall(j side.Job) (side.End, error) {
	name := filepath.Join(j.Dir, "window")
	which := flipcall.ClientSide
	if j.Side == 0 {
		if err := os.WriteFile(name+"~", make([]byte, window), 0o600); err != nil {
			return nil, err
		}
		if err := os.Rename(name+"~", name); err != nil {
			return nil, err
		}
	} else {
		which = flipcall.ServerSide
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	for errors.Is(err, os.ErrNotExist) {
		time.Sleep(time.Millisecond)
		f, err = os.OpenFile(name, os.O_RDWR, 0)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ep, err := flipcall.NewEndpoint(which, flipcall.PacketWindowDescriptor{FD: int(f.Fd()), Length: window})
	if err != nil {
		return nil, err
	}
	e := &flipEnd{Endpoint: ep, data: ep.Data()[:j.Size], client: j.Side == 0, first: true}
	if e.client {
		return e, ep.Connect()
	}
	return e, nil
}

func (e *flipEnd) Send(from, to uint64) error {
	if to != from+1 {
		return fmt.Errorf("flipcall: wanted one message, found %d", to-from)
	}
	side.Fill(e.data, from)
	return nil
}

func (e *flipEnd) Receive(from, to uint64) (uint64, error) {
	receive := func() (uint32, error) { return e.SendRecvFast(uint32(len(e.data))) }
	if e.first && !e.client {
		receive = e.RecvFirst
	}
	e.first = false
	n, err := receive()
	if errors.As(err, new(flipcall.ShutdownError)) {
		return from, io.EOF
	}
	if err != nil {
		return from, err
	}
	if !side.Holds(e.data[:n], from, len(e.data)) {
		return from, side.ErrWrong(from)
	}
	return to, nil
}

func (e *flipEnd) Close() error {
	e.Shutdown()
	return nil
}

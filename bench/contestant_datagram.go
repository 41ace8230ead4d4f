package main

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// datagrams are lost when the receiver has no room for them. Messages are
// numbered, so the receiver knows.
func datagrams() contestant {
	return plainGo("UDP", "net.UDPConn on the loopback interface, one Write and one Read for each message", layAddress("udp"), joinDatagrams)
}

type datagramEnd struct {
	*net.UDPConn
	buf  []byte
	lost *uint64
	sent *uint64
}

func joinDatagrams(j side.Job) (side.End, error) {
	address, err := addressOf(j)
	if err != nil {
		return nil, err
	}
	to, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	e := datagramEnd{buf: make([]byte, j.Size), lost: new(uint64), sent: new(uint64)}
	bound := filepath.Join(j.Dir, "bound")
	if j.Side > 0 {
		if e.UDPConn, err = net.ListenUDP("udp", to); err == nil {
			err = os.WriteFile(bound, nil, 0o600)
		}
		return e, err
	}
	for err = os.ErrNotExist; errors.Is(err, os.ErrNotExist); time.Sleep(time.Millisecond) {
		_, err = os.Stat(bound)
	}
	if err == nil {
		e.UDPConn, err = net.DialUDP("udp", nil, to)
	}
	return e, err
}

func (e datagramEnd) Lost() uint64 { return *e.lost }

func (e datagramEnd) Send(from, to uint64) error {
	*e.sent = to
	for n := from; n < to; n++ {
		side.Fill(e.buf, n)
		if _, err := e.Write(e.buf); err != nil {
			return err
		}
	}
	return nil
}

// Close tells a few times how many there were, in case there is no room.
func (e datagramEnd) Close() error {
	end := binary.LittleEndian.AppendUint64(nil, *e.sent)
	for range 20 {
		_, _ = e.Write(end) // the receiver may have gone, having heard
		time.Sleep(5 * time.Millisecond)
	}
	return e.UDPConn.Close()
}

func (e datagramEnd) Receive(from, to uint64) (uint64, error) {
	for n := from; n < to; n++ {
		length, err := e.Read(e.buf)
		if err != nil {
			return n, err
		}
		if length < 8 {
			return n, side.ErrWrong(n)
		}
		found := binary.LittleEndian.Uint64(e.buf)
		if found < n {
			return n, side.ErrWrong(n)
		}
		*e.lost += found - n
		n = found
		if length == 8 && len(e.buf) > 8 {
			return n, io.EOF
		}
		if !side.Holds(e.buf[:length], n, len(e.buf)) {
			return n, side.ErrWrong(n)
		}
		if to != math.MaxUint64 {
			to = max(to, n+1)
		}
	}
	return to, nil
}

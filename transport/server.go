package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/carousel-ipc/carousel/frame"
)

// A server lets consumers onto the ring of a cast, at a listening socket.
type server struct {
	cast     *cast
	listener net.Listener
	how      sending

	mu     sync.Mutex
	desk   []net.Conn // whose handshake is not over, oldest first
	closed bool
}

// The handshake is bounded in time, and in how many may be at it: the one that
// has been at it longest has to go, not the newcomer.
const (
	helloLimit = time.Second
	deskPlaces = 256

	// A consumer may have left whose end has not been heard yet.
	placePatience = 50 * time.Millisecond
)

func (v *server) accept() {
	for {
		c, err := v.listener.Accept()
		switch {
		case err == nil:
			if v.enter(c) {
				go v.serve(c)
			}
		case errors.Is(err, net.ErrClosed):
			return
		default: // no descriptors, most likely: they come back
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func (v *server) enter(c net.Conn) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		_ = c.Close()
		return false
	}
	if len(v.desk) == deskPlaces {
		_ = v.desk[0].Close()
		v.desk = slices.Delete(v.desk, 0, 1)
	}
	v.desk = append(v.desk, c)
	return true
}

func (v *server) leave(c net.Conn) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if i := slices.Index(v.desk, c); i >= 0 {
		v.desk = slices.Delete(v.desk, i, i+1)
	}
}

// close lets nobody in any more. Those with a place stay.
func (v *server) close() error {
	err := v.listener.Close()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	for _, c := range v.desk {
		_ = c.Close()
	}
	return err
}

// serve is one client, from hello to the end of its connection.
func (v *server) serve(c net.Conn) {
	s, err := v.handshake(c)
	v.leave(c)
	if s == nil || err != nil {
		_ = c.Close()
		return
	}
	s.run()
}

// handshake answers one hello. A client that gets a place gets a sender.
func (v *server) handshake(c net.Conn) (*sender, error) {
	if err := c.SetDeadline(time.Now().Add(helloLimit)); err != nil {
		return nil, err
	}
	h, err := readHello(c)
	if err != nil {
		return nil, err
	}
	reply := answer{version: helloVersion}
	refuse := func(code uint32, err error) (*sender, error) {
		reply.code, reply.text = code, err.Error()
		return nil, errors.Join(err, writeParts(c, reply.bytes(), v.how.most))
	}
	if code, err := h.check(); err != nil {
		return refuse(code, err)
	}
	if h.wish == wishStatistic {
		text, err := v.statistics()
		if err != nil {
			return refuse(codeEnded, err)
		}
		reply.text = text
		return nil, writeParts(c, reply.bytes(), v.how.most)
	}
	how := v.how
	how.acks = true
	s, err := v.attend(c.(conn), h, how)
	switch {
	case errors.Is(err, ErrNoSlot):
		return refuse(codeNoSlot, err)
	case errors.Is(err, ErrConfig):
		return refuse(codeConfig, err)
	case err != nil:
		return refuse(codeEnded, err)
	}
	capacity := v.cast.ring.Capacity()
	reply.capacity, reply.most, reply.every = uint64(capacity), uint64(v.cast.MaxRecord()), uint32(capacity/8)
	if v.cast.meets {
		reply.every = 1 // the producer waits for each
	}
	if err = writeParts(c, reply.bytes(), v.how.most); err == nil {
		err = c.SetDeadline(time.Time{})
	}
	if err != nil {
		s.abandon(err)
		return nil, err
	}
	return s, nil
}

func (v *server) attend(c conn, h hello, how sending) (*sender, error) {
	for end := time.Now().Add(placePatience); ; time.Sleep(time.Millisecond) {
		s, err := v.cast.attend(c, h.config(), how)
		if !errors.Is(err, ErrNoSlot) || time.Now().After(end) {
			return s, err
		}
	}
}

func (v *server) statistics() (string, error) {
	st, err := v.cast.Stats()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(st)
	return string(text), err
}

// writeParts writes b, at most so many bytes at a time; 0: all at once.
func writeParts(w io.Writer, b []byte, most int) error {
	for len(b) > 0 {
		part := b
		if most > 0 {
			part = b[:min(len(b), most)]
		}
		n, err := w.Write(part)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// parseStatistics is what a client does with them.
func parseStatistics(a answer) (st Stats, err error) {
	if err = json.Unmarshal([]byte(a.text), &st); err != nil {
		err = fmt.Errorf("%w: statistics: %w", ErrFormat, err)
	}
	return st, err
}

// unreleasedMost is how much a consumer may view of a ring and still wait for
// more: beyond, the producer may be waiting for what is viewed.
func unreleasedMost(a answer) uint64 {
	largest := uint64(frame.Size(int(a.most), frame.CRC))
	return a.capacity - min(a.capacity-1, largest+frame.HeaderSize)
}

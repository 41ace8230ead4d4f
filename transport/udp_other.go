//go:build !linux || carousel_portable

package transport

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
)

// One datagram in a system call.

type datagramSender struct {
	conn *net.UDPConn
	buf  []byte
}

func newDatagramSender(conn *net.UDPConn) (*datagramSender, error) {
	return &datagramSender{conn: conn}, nil
}

// send sends one datagram. That nobody listens, which the machine there may
// have said of an earlier one, is no error.
func (s *datagramSender) send(_ int, datagram func(i int) (head, body []byte)) (int, error) {
	head, body := datagram(0)
	s.buf = append(append(s.buf[:0], head...), body...)
	for tries := 0; ; tries++ {
		_, err := s.conn.Write(s.buf)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return 1, err
		}
		if tries == 2 {
			return 1, nil
		}
	}
}

func (s *datagramSender) close() error { return s.conn.Close() }

// datagramReceiver has a goroutine that reads ahead.
type datagramReceiver struct {
	conn *net.UDPConn
	full chan []byte
	rung chan struct{}
	last atomic.Pointer[error] // what ended the goroutine
	gone chan struct{}
}

const aheadDatagrams = 256

func newDatagramReceiver(conn *net.UDPConn) (*datagramReceiver, error) {
	r := &datagramReceiver{conn: conn, full: make(chan []byte, aheadDatagrams), rung: make(chan struct{}, 1), gone: make(chan struct{})}
	go func() {
		defer close(r.gone)
		buf := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buf)
			if err != nil && errors.Is(err, net.ErrClosed) {
				r.last.Store(&err)
				return
			}
			if err == nil { // another error is of one datagram, or of one that was sent
				r.full <- append([]byte(nil), buf[:n]...)
			}
		}
	}()
	return r, nil
}

func (r *datagramReceiver) arm() {}

func (r *datagramReceiver) ring() {
	select {
	case r.rung <- struct{}{}:
	default:
	}
}

func (r *datagramReceiver) receive(wait bool) ([][]byte, error) {
	select {
	case b := <-r.full:
		return [][]byte{b}, nil
	default:
	}
	if !wait {
		return nil, ErrEmpty
	}
	select {
	case b := <-r.full:
		return [][]byte{b}, nil
	case <-r.rung:
		return nil, os.ErrDeadlineExceeded
	case <-r.gone:
		return nil, *r.last.Load()
	}
}

func (r *datagramReceiver) release(bool) {}

func (r *datagramReceiver) close() error {
	err := r.conn.Close()
	for {
		select {
		case <-r.full: // it may wait for room
		case <-r.gone:
			return err
		}
	}
}

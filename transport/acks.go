package transport

import (
	"encoding/binary"
	"io"
	"sync"
	"time"
)

// A consumer at a socket says what it has released, so that Reliable, Deadline
// and Drain mean what they mean on a ring. Each message names the record that
// comes next and how many bytes of frames came before it.
type ack struct{ sequence, bytes uint64 }

const ackSize = 16

func (a ack) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, a.sequence)
	return binary.LittleEndian.AppendUint64(b, a.bytes)
}

func readAck(r io.Reader, b *[ackSize]byte) (ack, error) {
	_, err := io.ReadFull(r, b[:])
	return ack{binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])}, err
}

// acks sends them: at once when much has gathered, else when nothing more has
// been released for a moment, or a few of them. Each costs its consumer a system
// call that wakes the other side, in the midst of what it reads.
type acks struct {
	mu         sync.Mutex
	conn       conn
	every      uint64 // bytes that are much
	done, sent ack
	timer      *time.Timer
	armed      bool
	looks      int    // of the timer, since the last message
	seen       uint64 // what had been released at the last
	over       bool
	message    [ackSize]byte
}

const (
	ackDelay    = 200 * time.Microsecond
	ackLooks    = 5
	ackPatience = time.Second // for a server that does not listen
)

func newAcks(c conn, every uint64) *acks {
	k := &acks{conn: c, every: max(every, 1)}
	k.timer = time.AfterFunc(time.Hour, k.late)
	k.timer.Stop()
	return k
}

func (k *acks) released(a ack) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.done = a
	switch {
	case a.bytes-k.sent.bytes >= k.every:
		k.send()
	case !k.armed && !k.over && a.bytes > k.sent.bytes:
		k.armed, k.looks = true, 0
		k.look()
	}
}

// look has the timer look, once more.
func (k *acks) look() {
	k.seen = k.done.bytes
	k.timer.Reset(ackDelay)
}

func (k *acks) late() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.looks++; k.looks < ackLooks && k.done.bytes != k.seen && !k.over {
		k.look()
		return
	}
	k.armed = false
	k.send()
}

// finish sends what is still to be said.
func (k *acks) finish() {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.send()
	k.over = true
	k.timer.Stop()
}

// send leaves errors to the reading side, which finds out why.
func (k *acks) send() {
	if k.over || k.done.bytes == k.sent.bytes {
		return
	}
	k.sent, k.looks = k.done, 0
	_ = k.conn.SetWriteDeadline(time.Now().Add(ackPatience))
	if _, err := k.conn.Write(k.done.append(k.message[:0])); err != nil {
		k.over = true
	}
}

// hangUp tells the other end that nothing more is said, and goes on listening.
func hangUp(c conn) {
	if s, ok := c.(interface{ CloseWrite() error }); ok {
		_ = s.CloseWrite()
	}
}

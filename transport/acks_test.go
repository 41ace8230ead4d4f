package transport

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

// heard is the other end of acknowledgements.
type heard struct {
	conn // nothing else of it is used
	mu   sync.Mutex
	acks []ack
}

func (h *heard) SetWriteDeadline(time.Time) error { return nil }

func (h *heard) Write(b []byte) (int, error) {
	var buf [ackSize]byte
	a, err := readAck(bytes.NewReader(b), &buf)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acks = append(h.acks, a)
	return len(b), err
}

func (h *heard) all() []ack {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.acks
}

// Whoever goes on releasing speaks once in a while, and says everything when it
// pauses.
func TestAcknowledgementsAreFew(t *testing.T) {
	h := new(heard)
	k := newAcks(h, 1<<20)
	defer k.finish()
	start := time.Now()
	last := uint64(0)
	for time.Since(start) < 50*time.Millisecond {
		last++
		k.released(ack{sequence: last, bytes: last})
	}
	took := time.Since(start)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if all := h.all(); len(all) > 0 && all[len(all)-1].bytes == last {
			break
		} else if time.Now().After(end) {
			t.Fatalf("of %d bytes released, heard of %v", last, all)
		}
	}
	all := h.all()
	if most := int(took/(ackLooks*ackDelay)) + 2; len(all) > most {
		t.Errorf("%d messages in %v, want at most %d", len(all), took, most)
	}
	for i := range all[1:] {
		if all[i+1].bytes <= all[i].bytes {
			t.Errorf("message %d: %v behind %v", i+1, all[i+1], all[i])
		}
	}
}

// Much is said at once.
func TestMuchIsAcknowledgedAtOnce(t *testing.T) {
	h := new(heard)
	k := newAcks(h, 1000)
	defer k.finish()
	for i := range uint64(10) {
		k.released(ack{sequence: i + 1, bytes: 1000 * (i + 1)})
		if n := len(h.all()); n != int(i+1) {
			t.Fatalf("%d messages after %d bytes", n, 1000*(i+1))
		}
	}
}

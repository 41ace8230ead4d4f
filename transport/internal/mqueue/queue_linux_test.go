package mqueue

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Check(m)) }

func made(t *testing.T, s Size) (*Queue, string) {
	t.Helper()
	name := "carousel-test-mqueue-" + strconv.Itoa(os.Getpid())
	q, err := Create(name, s, 0o600)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("SKIP: no message queues here: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = q.Close()
		if err := Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	})
	return q, name
}

func TestPrioritiesAndLimits(t *testing.T) {
	q, name := made(t, Size{4, 100})
	other, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if other.Size() != (Size{4, 100}) {
		t.Errorf("size %v", other.Size())
	}
	for i, p := range []uint{1, 5, 1, MaxPriority} {
		if err := q.TrySend([]byte{byte(i)}, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.TrySend([]byte{9}, 0); !errors.Is(err, ErrFull) {
		t.Errorf("into a full queue: %v", err)
	}
	if n, err := other.Queued(); n != 4 || err != nil {
		t.Errorf("%d queued, %v", n, err)
	}
	var got []byte
	b := make([]byte, 100)
	for range 4 {
		n, p, err := other.TryReceive(b)
		if n != 1 || err != nil {
			t.Fatal(n, p, err)
		}
		got = append(got, b[0])
	}
	if !bytes.Equal(got, []byte{3, 1, 0, 2}) {
		t.Errorf("order %v", got)
	}
	if _, _, err := other.TryReceive(b); !errors.Is(err, ErrEmpty) {
		t.Errorf("of an empty queue: %v", err)
	}
	if err := q.TrySend(make([]byte, 101), 0); err == nil {
		t.Error("a message that is too long was taken")
	}
}

func TestWaitsEndWithDeadlinesAndMessages(t *testing.T) {
	q, name := made(t, Size{2, 100})
	other, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	b := make([]byte, 100)
	_ = other.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, _, err := other.Receive(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	_ = other.SetReadDeadline(time.Time{})
	time.AfterFunc(20*time.Millisecond, func() { _ = q.Send([]byte("x"), 3) })
	if n, p, err := other.Receive(b); n != 1 || p != 3 || err != nil {
		t.Errorf("got %d bytes, priority %d, %v", n, p, err)
	}
	for range 2 {
		if err := q.Send(nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	_ = q.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	if err := q.Send(nil, 0); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	_ = q.SetWriteDeadline(time.Time{})
	go func() {
		for range 2 {
			time.Sleep(20 * time.Millisecond)
			_, _, _ = other.TryReceive(b)
		}
	}()
	if err := q.WaitRoom(2); err != nil {
		t.Error(err)
	}
	if n, err := q.Queued(); n != 0 || err != nil {
		t.Errorf("%d queued, %v", n, err)
	}
}

func TestErrorsNameTheLimit(t *testing.T) {
	limits, err := Limits()
	if err != nil {
		t.Skip("SKIP: no message queues here: ", err)
	}
	if _, err := Create("carousel-test-large", Size{1 << 20, limits.Bytes}, 0o600); err == nil {
		t.Error("a million messages were granted")
		_ = Remove("carousel-test-large")
	}
	if _, err := Open("carousel-test-nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

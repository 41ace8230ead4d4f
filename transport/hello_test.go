package transport

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// What is said at a socket is frozen: other versions have to understand it.
func TestHandshakeBytes(t *testing.T) {
	h := newHello(wishStream, ConsumerConfig{Name: "risk", Policy: Deadline(time.Second), From: Sequence(258)})
	want := "435248454c4c4f31" + "01000000" + "01000000" + "00000000" + "00000000" + "01000000" + "02000000" +
		"00ca9a3b00000000" + "0201000000000000" + "04000000" + "00000000" + "7269736b" + strings.Repeat("00", 44)
	if got := hex.EncodeToString(h.bytes()); got != want {
		t.Errorf("hello\n%s, want\n%s", got, want)
	}
	if again, err := readHello(bytes.NewReader(h.bytes())); err != nil || again != h {
		t.Errorf("%+v, %v, want %+v", again, err, h)
	}
	cfg := h.config()
	if n, _ := cfg.From.Number(); cfg.Name != "risk" || cfg.Policy != Deadline(time.Second) || n != 258 {
		t.Errorf("%+v", cfg)
	}
	a := answer{version: 1, every: 256, capacity: 4096, most: 1008, text: "hi"}
	want = "4352414e53575231" + "01000000" + "00000000" + "00000000" + "00000000" + "00010000" + "02000000" +
		"0010000000000000" + "f003000000000000" + "6869"
	if got := hex.EncodeToString(a.bytes()); got != want {
		t.Errorf("answer\n%s, want\n%s", got, want)
	}
	if again, err := readAnswer(bytes.NewReader(a.bytes())); err != nil || again != a {
		t.Errorf("%+v, %v, want %+v", again, err, a)
	}
	if got := hex.EncodeToString(ack{258, 4096}.append(nil)); got != "0201000000000000"+"0010000000000000" {
		t.Errorf("acknowledgement %s", got)
	}
	want = "0900000000000000" + "20000000" + "0000" + "0100" +
		"01000000" + "04000000" + "0700000000000000" + "736c6f77" + strings.Repeat("00", 12)
	if got := hex.EncodeToString(evictionNotice(9, &EvictedError{Reason: "slow", At: 7})); got != want {
		t.Errorf("notice\n%s, want\n%s", got, want)
	}
}

func TestHandshakesThatAreRefused(t *testing.T) {
	good := newHello(wishStream, ConsumerConfig{})
	for name, c := range map[string]struct {
		change func(*hello)
		code   uint32
	}{
		"version":  {func(h *hello) { h.version = 2 }, codeVersion},
		"features": {func(h *hello) { h.must = 1 }, codeVersion},
		"wish":     {func(h *hello) { h.wish = 3 }, codeVersion},
		"policy":   {func(h *hello) { h.policy = 3 }, codeConfig},
		"start":    {func(h *hello) { h.start = 3 }, codeConfig},
		"deadline": {func(h *hello) { h.policy = policyDeadline }, codeConfig},
		"longest":  {func(h *hello) { h.policy, h.deadline = policyDeadline, 1<<63 }, codeConfig},
		"name":     {func(h *hello) { h.name = "\xff" }, codeConfig},
	} {
		h := good
		c.change(&h)
		h, err := readHello(bytes.NewReader(h.bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if code, err := h.check(); code != c.code || err == nil || !strings.Contains(err.Error(), "want") {
			t.Errorf("%s: code %d, %v", name, code, err)
		}
	}
	for name, c := range map[string]struct {
		answer answer
		want   error
	}{
		"version":  {answer{version: 2}, ErrFormat},
		"features": {answer{version: 1, must: 1}, ErrFormat},
		"slots":    {answer{version: 1, code: codeNoSlot, text: "full"}, ErrNoSlot},
		"ended":    {answer{version: 1, code: codeEnded}, ErrRemoved},
		"unknown":  {answer{version: 1, code: 99}, ErrRefused},
		"capacity": {answer{version: 1, capacity: 1 << 40}, ErrFormat},
		"largest":  {answer{version: 1, capacity: 4096, most: 1 << 40}, ErrFormat},
	} {
		if _, err := readAnswer(bytes.NewReader(c.answer.bytes())); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if _, err := readAnswer(strings.NewReader("short")); err != io.ErrUnexpectedEOF {
		t.Errorf("got %v", err)
	}
}

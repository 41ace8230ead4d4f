package side

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/carousel-ipc/carousel/internal/monotonic"
)

// The paced work: messages at a fixed rate, each of which is the moment at
// which it was due. Latency counts from then, not from when the sender got
// round to it: a stall is counted for every message that it delayed, which is
// what correcting for coordinated omission means.

// pace looks at the clock until a message is due; it never sleeps.
func pace(e End, j Job) (o Outcome, err error) {
	interval := interval(j)
	due, err := announce(j)
	if err != nil {
		return o, err
	}
	for end := due + uint64(j.Span); due < end; due += interval {
		for uint64(monotonic.Now()) < due {
		}
		if err := e.Send(due, due+1); err != nil {
			return o, err
		}
		o.Messages++
	}
	return o, e.Close()
}

func follow(e End, j Job) (o Outcome, err error) {
	h := hdrhistogram.New(1, int64(longest), 3)
	interval := interval(j)
	due, err := announced(j)
	if err != nil {
		return o, err
	}
	warm := due + uint64(j.Span)/8
	for ; ; due += interval {
		if _, err := e.Receive(due, due+1); err == io.EOF {
			break
		} else if err != nil {
			return o, err
		}
		if o.Messages++; due >= warm {
			h.RecordValue(clamp(monotonic.Now() - int64(due)))
		}
	}
	percentiles(&o, h)
	return o, nil
}

func interval(j Job) uint64 { return uint64(time.Second) / uint64(max(j.Rate, 1)) }

// announce tells the receiver when the first message is due.
func announce(j Job) (uint64, error) {
	due := uint64(monotonic.Now()) + uint64(20*time.Millisecond)
	name := filepath.Join(j.Dir, "due")
	if err := os.WriteFile(name+"~", []byte(strconv.FormatUint(due, 10)), 0o600); err != nil {
		return 0, err
	}
	return due, os.Rename(name+"~", name)
}

func announced(j Job) (uint64, error) {
	for {
		b, err := os.ReadFile(filepath.Join(j.Dir, "due"))
		if err == nil {
			return strconv.ParseUint(string(b), 10, 64)
		}
		if !os.IsNotExist(err) {
			return 0, fmt.Errorf("when is the first message due: %w", err)
		}
		time.Sleep(time.Millisecond)
	}
}

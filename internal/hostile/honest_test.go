//go:build linux && !carousel_portable

package hostile

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/carousel-ipc/carousel/internal/monotonic"
	"github.com/carousel-ipc/carousel/ring"
)

// honestRole is a consumer that verifies every record. It is the witness of what
// attacks do to others.
func honestRole() (commands, error) {
	path := os.Getenv("SOCKET")
	wait, err := ring.ParseWait(os.Getenv("WAIT"))
	if err != nil {
		return nil, err
	}
	r, err := ring.Dial(context.Background(), path)
	if err != nil {
		return nil, err
	}
	policy, err := ring.ParsePolicy(os.Getenv("POLICY"))
	if err != nil {
		return nil, err
	}
	c, err := r.NewConsumer(ring.ConsumerConfig{Name: "honest", Wait: wait, Policy: policy})
	if err != nil {
		return nil, err
	}
	broadcast, slot, err := handed("self")
	if err != nil {
		return nil, err
	}
	return commands{
		// read reads up to a record.
		"read": func(args []string) string {
			to, _ := strconv.ParseUint(args[0], 10, 64)
			for c.Sequence() <= to {
				if _, _, err := readNext(c); err != nil {
					return answer("", err)
				}
			}
			return answer("", nil)
		},
		// look is a sum over all that nobody may change while the producer rests
		// and this consumer sleeps: the broadcast segment, and its own cursor
		// and generation.
		"look": func([]string) string {
			size, err := sizeOf(broadcast)
			all := make([]byte, size+2*128)
			if err == nil {
				_, err = unix.Pread(broadcast, all[:size], 0)
			}
			if err == nil {
				_, err = unix.Pread(slot, all[size:], 0)
			}
			return answer(fmt.Sprintf("%08x", crc32.Checksum(all, castagnoli)), err)
		},
		// call is what a newcomer does.
		"call": func([]string) string {
			ctx, stop := context.WithTimeout(context.Background(), enough)
			defer stop()
			_, err := ring.Inspect(ctx, path)
			if err == nil {
				var again *ring.Ring
				if again, err = ring.Dial(ctx, path); err == nil {
					err = again.Close()
				}
			}
			return answer("", err)
		},
		// all reads to the end of the stream and tells what it found.
		"all": func([]string) string { return readAll(c) },
	}, nil
}

func readNext(c *ring.Consumer) (sent int64, tag uint64, err error) {
	want := c.Sequence()
	rec, err := c.Next(context.Background())
	if err != nil {
		return 0, 0, err
	}
	if rec.Sequence != want {
		return 0, 0, fmt.Errorf("record %d, want %d", rec.Sequence, want)
	}
	sent, tag, err = checkRecord(rec.Payload(), want)
	return sent, tag, errors.Join(err, c.Release())
}

// readAll sorts the delays of all paced records by tag, and counts what is
// corrupt or lost: "records corrupt lost", and for each tag "p50 p99 max".
func readAll(c *ring.Consumer) string {
	var delays [2]*hdrhistogram.Histogram
	for i := range delays {
		delays[i] = hdrhistogram.New(1, int64(time.Minute), 3)
	}
	var records, corrupt, lost uint64
	for {
		sent, tag, err := readNext(c)
		over, overrun := errors.AsType[*ring.OverrunError](err)
		switch {
		case err == nil:
			records++
			if tag < uint64(len(delays)) {
				_ = delays[tag].RecordValue(max(monotonic.Now()-sent, 1))
			}
		case err == io.EOF:
			text := fmt.Sprint(records, " ", corrupt, " ", lost)
			for _, h := range delays {
				text += fmt.Sprint(" ", h.ValueAtQuantile(50), " ", h.ValueAtQuantile(99), " ", h.Max())
			}
			return answer(text, nil)
		case overrun:
			lost += over.Lost
		case errors.Is(err, ring.ErrEvicted), errors.Is(err, ring.ErrProducerDied), errors.Is(err, os.ErrClosed):
			return answer("", err)
		default:
			if corrupt++; corrupt > 1000 { // it does not get past it
				return answer("", err)
			}
		}
	}
}

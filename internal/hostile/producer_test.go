//go:build linux && !carousel_portable

package hostile

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/internal/monotonic"
	"github.com/carousel-ipc/carousel/ring"
)

// producerRole serves a ring at SOCKET to USERS, and another one, at
// SOCKET.own, to its own user alone.
func producerRole() (commands, error) {
	if os.Getenv("GUARDED") != "" {
		if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
			return nil, fmt.Errorf("prctl: %w", err)
		}
	}
	path := os.Getenv("SOCKET")
	var users []uint32
	for _, text := range strings.Fields(os.Getenv("USERS")) {
		u, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, err
		}
		users = append(users, uint32(u))
	}
	capacity, _ := strconv.Atoi(os.Getenv("CAPACITY"))
	patience, err := time.ParseDuration(os.Getenv("PATIENCE"))
	if err != nil {
		return nil, err
	}
	r, err := ring.Listen(path, ring.ServeConfig{
		Config:   ring.Config{Capacity: capacity},
		Users:    users,
		Patience: patience,
		Distrust: os.Getenv("DISTRUST") != "",
	})
	if err != nil {
		return nil, err
	}
	p, err := r.NewProducer()
	if err != nil {
		return nil, err
	}
	if _, err := ring.Listen(path+".own", ring.ServeConfig{Config: ring.Config{Capacity: ring.MinCapacity}}); err != nil {
		return nil, err
	}
	return commands{
		"put": func(args []string) string {
			n, _ := strconv.Atoi(args[0])
			return published(p, n)
		},
		"wait": func(args []string) string {
			n, _ := strconv.Atoi(args[0])
			ctx, stop := context.WithTimeout(context.Background(), enough)
			defer stop()
			return answer("", p.WaitConsumers(ctx, n))
		},
		"run": func(args []string) string { return run(p, args) },
		"end": func([]string) string { return answer("", p.Close()) },
		// serve is what another producer in the same folder would do.
		"serve": func([]string) string {
			r, err := ring.Listen(path+".next", ring.ServeConfig{Config: ring.Config{Capacity: ring.MinCapacity}})
			if err == nil {
				err = r.Close()
			}
			return answer("", err)
		},
	}, nil
}

// answer is what a command returns: ok and a text, or the error.
func answer(text string, err error) string {
	if err != nil {
		return "failed: " + err.Error()
	}
	return "ok " + text
}

// published puts n records, and says which one is next.
func published(p *ring.Producer, n int) string {
	ctx, stop := context.WithTimeout(context.Background(), enough)
	defer stop()
	for range n {
		if err := stage(ctx, p, 0); err != nil {
			return answer("", err)
		}
		if err := p.Commit(); err != nil {
			return answer("", err)
		}
	}
	return answer(fmt.Sprint(p.Sequence()), nil)
}

func stage(ctx context.Context, p *ring.Producer, tag uint64) error {
	seq := p.Sequence()
	b, err := p.Reserve(ctx, recordSize(seq))
	if err != nil {
		return err
	}
	fillRecord(b, seq, monotonic.Now(), tag)
	return nil
}

// run publishes for a time: "paced", one record each half millisecond; else
// batches of so many as fast as it goes. It says how many and how long it took.
func run(p *ring.Producer, args []string) string {
	mode := args[0]
	ms, _ := strconv.Atoi(args[1])
	tag, _ := strconv.ParseUint(args[2], 10, 64)
	batch, _ := strconv.Atoi(mode)
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	begun, first := time.Now(), p.Sequence()
	length := time.Duration(ms) * time.Millisecond
	for turn := 1; time.Since(begun) < length; turn++ {
		for range max(batch, 1) {
			if err := stage(ctx, p, tag); err != nil {
				return answer("", err)
			}
		}
		if err := p.Commit(); err != nil {
			return answer("", err)
		}
		if batch == 0 {
			time.Sleep(time.Until(begun.Add(time.Duration(turn) * 500 * time.Microsecond)))
		}
	}
	return answer(fmt.Sprintln(p.Sequence()-first, time.Since(begun).Nanoseconds()), nil)
}

//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package transport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
)

var errNoFIFO = fmt.Errorf("FIFOs: wanted Linux, a BSD or macOS, found %s: %w", runtime.GOOS, errors.ErrUnsupported)

func createFIFO(t target, _ ProducerConfig) (Producer, error) {
	return nil, fmt.Errorf("%s: %w", t.url, errNoFIFO)
}

func openFIFO(_ context.Context, t target, _ ConsumerConfig) (Consumer, error) {
	return nil, fmt.Errorf("%s: %w", t.url, errNoFIFO)
}

func inspectFIFO(t target) (Stats, error) {
	return Stats{}, fmt.Errorf("%s: %w", t.url, errNoFIFO)
}

// fifoOption is for auto, to which it says why it cannot be picked.
func fifoOption(t target) option {
	return option{
		target: t,
		alive:  func() bool { return false },
		clear:  func() {},
		look: func(ctx context.Context, cfg ConsumerConfig) (Consumer, error) {
			return openFIFO(ctx, t, cfg)
		},
	}
}

func checkOwnFolder(string, fs.FileInfo) error { return nil }

// lockFolder has nothing to lock with here.
func lockFolder(string) (unlock func() error, err error) {
	return func() error { return nil }, nil
}

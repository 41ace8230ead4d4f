package transport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carousel-ipc/carousel/ring"
)

// A ring in sealed memory has no name: its producer hands it out at a socket,
// whose name goes with the producer that closes. What comes after a producer
// is always another ring.
var memfdScheme = func() scheme {
	m := ringMedium{
		create: func(path string, cfg ProducerConfig) (*ring.Ring, error) {
			return ring.Listen(path, ring.ServeConfig{Config: cfg.ring(), Users: cfg.Users, Patience: cfg.Patience})
		},
		open:    dialRing,
		remove:  func(string) error { return nil }, // the ring does
		removed: true,
		others:  []string{fileForm},
	}
	s := m.scheme("memfd", memfdForm, checkPath)
	s.inspect = func(t target) (Stats, error) {
		ctx, cancel := context.WithTimeout(context.Background(), dialPatience)
		defer cancel()
		st, err := ring.Inspect(ctx, t.name)
		if err != nil {
			err = fmt.Errorf("%s: %w", t.url, m.instead(err))
		}
		return st, err
	}
	return s
}()

// dialPatience bounds one handshake: whoever listens may have been stopped.
const dialPatience = 2 * time.Second

var errSilent = errors.New("the producer does not answer")

// dialRing takes at least one look, however little time is left.
func dialRing(ctx context.Context, path string) (*ring.Ring, error) {
	dial, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialPatience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	defer stop()
	r, err := ring.Dial(dial, path)
	if err != nil && dial.Err() != nil {
		err = fmt.Errorf("%w: %w", errSilent, err)
	}
	return r, err
}

// grace is what a look may take beyond the end of its context.
const grace = 100 * time.Millisecond

package transport

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/ring"
)

// A pipe is a stream to one consumer, which the kernel holds back: it always
// gates, nothing is asked of it and nothing is heard of it. The URL stands for
// standard output and standard input.
var pipeScheme = scheme{
	name: "pipe",
	form: "pipe:",
	check: func(rest string) (string, error) {
		if rest != "" {
			return "", fmt.Errorf("found %q behind it", shorten(rest))
		}
		return "standard output or input", nil
	},
	create: func(t target, cfg ProducerConfig) (Producer, error) {
		return createPipe(t.url, os.Stdout, cfg)
	},
	open: func(ctx context.Context, t target, cfg ConsumerConfig) (Consumer, error) {
		return openPipe(ctx, t.url, os.Stdin, cfg)
	},
	inspect: inspectCast,
}

// CreatePipe becomes the producer of the pipe whose writing end is f: one that
// was inherited, or made by os.Pipe. Whatever else takes a stream of bytes will
// do. It takes f over, and closes it at the end.
func CreatePipe(f *os.File, cfg ProducerConfig) (Producer, error) {
	return createPipe("pipe:"+f.Name(), f, cfg)
}

// OpenPipe becomes the consumer of the pipe whose reading end is f, which it
// takes over. It waits for the producer's first bytes until ctx ends.
func OpenPipe(ctx context.Context, f *os.File, cfg ConsumerConfig) (Consumer, error) {
	return openPipe(ctx, "pipe:"+f.Name(), f, cfg)
}

func createPipe(url string, f *os.File, cfg ProducerConfig) (Producer, error) {
	out, err := takeFile(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	p, err := newCast(url, cfg)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", url, err), out.Close())
	}
	p.lone, p.uncounted = true, true
	s, err := p.attend(out, ring.ConsumerConfig{Name: "pipe"}, sending{offers: true})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", url, err), p.Close(), out.Close())
	}
	go s.run()
	go watchReader(out, s.gone)
	return p, nil
}

// pipeMost is how many bytes of a pipe a consumer may view without releasing
// any.
const pipeMost = 64 << 20

func openPipe(ctx context.Context, url string, f *os.File, cfg ConsumerConfig) (Consumer, error) {
	if err := errors.Join(onlyReliable(cfg.Policy), named(&cfg)); err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	in, err := takeFile(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	w, err := newWire(in, cfg.Wait)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", url, err), in.Close())
	}
	c, err := newStreamConsumer(ctx, w, cfg, streamEnd{max: frame.MaxPayload, most: pipeMost, unique: true})
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: the stream has not begun: %w", ErrNoProducer, err)
		}
		return nil, errors.Join(fmt.Errorf("%s: %w", url, err), in.Close())
	}
	return c, nil
}

// onlyReliable refuses what a medium whose consumer always gates cannot keep.
func onlyReliable(p Policy) error {
	if p == Reliable {
		return nil
	}
	return fmt.Errorf("its consumer always holds the producer up: want policy reliable, found %v: %w", p, errors.ErrUnsupported)
}

// inspectCast finds a producer that has no name in this process only.
func inspectCast(t target) (Stats, error) {
	if p, ok := casts.Load(t.url); ok {
		return p.(*cast).Stats()
	}
	return Stats{}, fmt.Errorf("%s: only its producer can tell: %w", t.url, errors.ErrUnsupported)
}

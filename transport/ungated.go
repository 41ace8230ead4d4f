package transport

import (
	"context"
	"os"
	"sync"
)

// ungated is what the producers of media have in common that wait for nobody.
type ungated struct {
	mu sync.Mutex
	stage
	bytes  uint64 // payload committed
	closed bool
}

// Reserve never waits: there is nobody to wait for.
func (p *ungated) Reserve(_ context.Context, h Header, n int) ([]byte, error) {
	return p.TryReserve(h, n)
}

func (p *ungated) TryReserve(h Header, n int) ([]byte, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, os.ErrClosed
	}
	b, err := p.add(h, n)
	p.mu.Unlock()
	return b, err
}

// commit has send hand over what is staged, which then counts as committed.
func (p *ungated) commit(send func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return os.ErrClosed
	}
	if len(p.held) == 0 {
		return nil
	}
	p.seal()
	if err := send(); err != nil {
		return err
	}
	p.bytes += p.stage.bytes
	p.clear()
	return nil
}

func (p *ungated) Abort() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(len(p.held))
}

func (p *ungated) Sequence() uint64 { return p.next }
func (p *ungated) MaxRecord() int   { return p.most }

// Drain has nobody to wait for.
func (p *ungated) Drain(context.Context) error { return nil }

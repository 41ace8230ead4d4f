package transport

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
)

// ungated is what the producers of media have in common that wait for nobody.
// The stage is its owner's alone; Close, which may come from any goroutine,
// leaves it as it is.
type ungated struct {
	stage
	mu     sync.Mutex // held to send
	behind uint64     // sequence behind what is committed
	bytes  uint64     // payload committed
	closed atomic.Bool
}

func newUngated(s stage) ungated { return ungated{stage: s, behind: s.next} }

// Reserve never waits: there is nobody to wait for.
func (p *ungated) Reserve(_ context.Context, h Header, n int) ([]byte, error) {
	return p.TryReserve(h, n)
}

func (p *ungated) TryReserve(h Header, n int) ([]byte, error) {
	if p.closed.Load() {
		return nil, os.ErrClosed
	}
	return p.add(h, n)
}

// commit has send hand over what is staged, which then counts as committed.
func (p *ungated) commit(send func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Load() {
		return os.ErrClosed
	}
	if len(p.held) == 0 {
		return nil
	}
	p.seal()
	if err := send(); err != nil {
		return err
	}
	p.behind, p.bytes = p.next, p.bytes+p.stage.bytes
	p.clear()
	return nil
}

func (p *ungated) Abort() { p.drop(len(p.held)) }

func (p *ungated) Sequence() uint64 { return p.next }
func (p *ungated) MaxRecord() int   { return p.most }

// Drain has nobody to wait for.
func (p *ungated) Drain(context.Context) error { return nil }

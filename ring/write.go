package ring

import (
	"context"
)

// Write publishes b as one record of type 0, together with whatever was staged
// before it. It implements io.Writer, and has no context: it waits for room for
// as long as the consumers that gate take, and only Close ends that wait
// (os.ErrClosed). With a bound take Reserve and Commit, which is all that it
// does. What exceeds MaxRecord is ErrTooLarge (see WriteChain).
func (p *Producer) Write(b []byte) (int, error) {
	if p.section.unguarded() {
		return p.WriteType(0, b)
	}
	buf, err := p.Reserve(context.Background(), len(b))
	if err != nil {
		return 0, err
	}
	copyIn(buf, b)
	if err := p.Commit(); err != nil {
		return 0, err
	}
	return len(b), nil
}

// WriteType is Write of a record with a type. With a context: ReserveRecord.
func (p *Producer) WriteType(t uint16, b []byte) (int, error) {
	if err := p.write(context.Background(), Header{Type: t}, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// WriteChain publishes b as one message whatever its size: in one record if
// it fits, else in several that are chained (Header.More and Continues).
// Consumer.ReadChain and the stream adaptor join them. Parts are committed as
// they are written, so that a message may exceed the ring.
func (p *Producer) WriteChain(ctx context.Context, t uint16, b []byte) error {
	for h := (Header{Type: t}); ; h.Continues = true {
		n := min(len(b), p.maxPayload)
		h.More = n < len(b)
		if err := p.write(ctx, h, b[:n]); err != nil || !h.More {
			return err
		}
		b = b[n:]
	}
}

// write publishes a copy of b, with what was staged before.
func (p *Producer) write(ctx context.Context, h Header, b []byte) error {
	if p.section.unguarded() {
		return guarded(&p.section, func() error { return p.write(ctx, h, b) })
	}
	buf, err := p.ReserveRecord(ctx, h, len(b))
	if err != nil {
		return err
	}
	copyIn(buf, b)
	return p.Commit()
}

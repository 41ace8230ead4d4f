package transport

import "context"

// Producer is the writing end of a medium. One goroutine uses it at a time;
// Close may be called from any.
type Producer interface {
	// Reserve stages a record of n bytes and returns its payload to be filled
	// before Commit. It waits for credit until ctx ends. [ErrTooLarge];
	// [ErrBatchFull] when what is staged has to be committed first.
	Reserve(ctx context.Context, h Header, n int) ([]byte, error)
	// TryReserve never waits: [ErrFull].
	TryReserve(h Header, n int) ([]byte, error)
	// Commit makes all staged records visible; Abort drops them.
	Commit() error
	Abort()
	// Sequence is the number that the next reserved record will have.
	Sequence() uint64
	// MaxRecord is the largest payload that Reserve takes, in bytes.
	MaxRecord() int
	// WaitConsumers waits until n consumers, of any policy, are attached at
	// once. A medium that cannot count them returns an error that wraps
	// errors.ErrUnsupported at once.
	WaitConsumers(ctx context.Context, n int) error
	// Drain waits until every consumer that gates has released everything;
	// [*LagError] when ctx ends first.
	Drain(ctx context.Context) error
	// Stats is a look at the medium.
	Stats() (Stats, error)
	// Close ends the stream and removes the names that Create made, unless a
	// successor has them already. Staged records are dropped.
	Close() error
}

// Consumer is a reading end of a medium. One goroutine uses it at a time;
// Close may be called from any.
type Consumer interface {
	// Next returns the next record; its payload is valid until Release, which
	// gives back everything viewed and tells whether it was whole.
	// Besides the context's error: io.EOF at the end of the stream,
	// [ErrProducerDied] when everything committed was delivered,
	// [*OverrunError], after which it goes on, [*EvictedError], which is final.
	// What was viewed and is not released is lost with an overrun if it is
	// among the records that the error names; before those it is whole.
	Next(ctx context.Context) (Record, error)
	// TryNext never waits: [ErrEmpty].
	TryNext() (Record, error)
	// Release gives back all records viewed since the last one. What a
	// consumer that does not gate for ever viewed was whole only if the error
	// is nil.
	Release() error
	// WaitProducer, after [ErrProducerDied] or io.EOF, waits until another
	// producer lives and Next can go on; [ErrRemoved] when none will come to
	// this attachment and the URL has to be opened again.
	WaitProducer(ctx context.Context) error
	// Sequence is the number of the record that Next returns next.
	Sequence() uint64
	// Epoch is the number of the producer whose records are being read.
	Epoch() uint64
	// Stats is this consumer's own line.
	Stats() ConsumerStats
	// Close gives the consumer's place back and ends a call that waits.
	Close() error
}

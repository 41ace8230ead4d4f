package ring

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

// Making and opening. Besides these, fs.ErrNotExist: there is no such ring;
// errors.ErrUnsupported: this system has not what the ring would need (shared
// memory under names, sealed memory); syscall.EFBIG: the ring is larger than
// this process may make or map.
var (
	// ErrConfig: a value of a configuration is out of its range.
	ErrConfig = errors.New("ring: invalid configuration")
	// ErrFormat: the memory or file is no ring that this build can use: other
	// magic, version, byte order, features, size or an inconsistent header.
	ErrFormat = errors.New("ring: not a usable ring")
	// ErrGeometry: the ring exists with another geometry than the one asked for.
	ErrGeometry = errors.New("ring: exists with another geometry")
	// ErrName: not a name that a ring can have.
	ErrName = errors.New("ring: invalid name")
	// ErrProducerLive: the ring has a live producer already, or one was alive
	// when the ring should have been removed.
	ErrProducerLive = errors.New("ring: has a live producer")
	// ErrNoSlot: as many consumers are attached as the ring has slots, or as one
	// user may have (ServeConfig.PerUser).
	ErrNoSlot = errors.New("ring: no free slot for another consumer")
	// ErrRemoved: the name no longer stands for this ring, or it was served and its
	// producer has gone: no producer will come to it. Open the name, or dial, again.
	ErrRemoved = errors.New("ring: was removed")
	// ErrRefused: the producer that serves the ring does not admit this user, or
	// not with this policy, or does not do what it was asked.
	ErrRefused = errors.New("ring: refused by its producer")
	// ErrUnclean: a file ring survived a restart of the machine without
	// checksums: what of it reached the disk cannot be told.
	ErrUnclean = errors.New("ring: machine restarted since the last record and the records carry no checksum")
	// ErrUnsafeFile: what has a named ring's name is not a file that this user
	// alone can reach: another's, open to group or others, a link, no regular
	// file, or one of several names.
	ErrUnsafeFile = shm.ErrUnsafeFile
	// ErrNoSpace: the file system has no room for the ring.
	ErrNoSpace = shm.ErrNoSpace
	// ErrLocked: somebody else makes or removes a ring of this name, or holds the
	// lock of the socket's folder, and was not done within two seconds.
	ErrLocked = shm.ErrLocked
)

// Publishing and consuming. Besides these, calls return os.ErrClosed after
// Close, io.EOF at the end of the stream, and the context's error.
var (
	// ErrFull: no credit now; a consumer that gates has not released enough.
	ErrFull = errors.New("ring: no credit")
	// ErrEmpty: no record now.
	ErrEmpty = errors.New("ring: no record")
	// ErrTooLarge: the record is larger than the ring's MaxRecord.
	ErrTooLarge = errors.New("ring: record too large")
	// ErrBatchFull: the staged records and this one exceed the capacity; no
	// wait can help, only Commit or Abort.
	ErrBatchFull = errors.New("ring: batch exceeds the capacity")
	// ErrUnreleased: the producer waits for records that this consumer views
	// and has not released; to wait for more would be a deadlock.
	ErrUnreleased = errors.New("ring: the producer waits for records that are viewed and not released")
	// ErrCorrupt: the ring's bytes are not what a producer writes.
	ErrCorrupt = errors.New("ring: corrupt record")
	// ErrTruncated: the file of a named ring was truncated under this process, or
	// its storage failed. The handle has no use any more but Close (Guard).
	ErrTruncated = errors.New("ring: file truncated")
	// ErrProducerDied: the producer ended without Close; everything it
	// committed has been delivered. WaitProducer waits for the next one.
	ErrProducerDied = errors.New("ring: producer died")
	// ErrOverrun is what every *OverrunError is.
	ErrOverrun = errors.New("ring: overrun")
	// ErrEvicted is what every *EvictedError is.
	ErrEvicted = errors.New("ring: evicted")
	// ErrBrokenChain: a chain of records was cut: its producer died in the
	// middle of it, or a part of it was lost.
	ErrBrokenChain = errors.New("ring: chain of records cut off")
)

// OverrunError tells a consumer exactly which records it missed. The consumer
// is in order again: the next call goes on with record To + 1, or tells of the
// next loss.
type OverrunError struct {
	Lost     uint64 // how many records: To - From + 1
	From, To uint64 // sequence numbers of the first and the last of them
}

// Error names the count, the first and the last.
func (e *OverrunError) Error() string {
	return fmt.Sprintf("ring: overrun: lost %d records, %d to %d", e.Lost, e.From, e.To)
}

// Is makes errors.Is(err, ErrOverrun) true.
func (e *OverrunError) Is(target error) bool { return target == ErrOverrun }

// EvictedError tells a consumer why and where it lost its slot. It is final:
// join anew to go on. Records viewed and not yet released were not safe.
type EvictedError struct {
	Reason string // for people, names the policy
	At     uint64 // position of its cursor then
}

// Error names the position and the reason.
func (e *EvictedError) Error() string {
	return fmt.Sprintf("ring: evicted at position %d: %s", e.At, e.Reason)
}

// Is makes errors.Is(err, ErrEvicted) true.
func (e *EvictedError) Is(target error) bool { return target == ErrEvicted }

// Lagging is one consumer that had not released everything.
type Lagging struct {
	Name    string // as it called itself
	Policy  Policy
	Records uint64 // released so many records too few
	Bytes   uint64 // and so many bytes of the ring
}

// LagError is what Drain returns when its context ends first: who still lags.
type LagError struct {
	Consumers []Lagging
	Err       error // the context's; what errors.Is sees
}

// Error names each consumer and how far it lags.
func (e *LagError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "ring: not drained (%v):", e.Err)
	for i, c := range e.Consumers {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, " %s (%v) lags by %d records, %d bytes", c.Name, c.Policy, c.Records, c.Bytes)
	}
	return b.String()
}

// Unwrap gives the context's error.
func (e *LagError) Unwrap() error { return e.Err }

func evictionReason(d time.Duration) string {
	return fmt.Sprintf("held the producer up for its deadline of %v (policy deadline=%v)", d, d)
}

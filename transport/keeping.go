package transport

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Syncing says when a log's producer has the disk keep what was committed,
// besides the calls of [Syncer]. What Commit has returned for survives a kill of
// the producer in any case; this is about the machine. The zero value is
// never: the kernel writes when it sees fit.
type Syncing struct {
	Each     bool          // Commit returns when the disk has it
	Interval time.Duration // in the background, so often; 0: not
}

// Syncer is a [Producer] that can have the disk keep what was committed: that
// of a log.
type Syncer interface {
	// Sync returns when everything committed before survives a power cut.
	Sync() error
}

// ParseSyncing reads none, each or interval=D with D a duration above 0.
func ParseSyncing(s string) (Syncing, error) {
	switch s {
	case "none":
		return Syncing{}, nil
	case "each":
		return Syncing{Each: true}, nil
	}
	if v, ok := strings.CutPrefix(s, "interval="); ok {
		if d, err := time.ParseDuration(v); err == nil && d > 0 {
			return Syncing{Interval: d}, nil
		}
	}
	return Syncing{}, fmt.Errorf("%w: sync %q, want none, each or interval=D with D a duration such as 200ms", ErrConfig, s)
}

// String is the form that ParseSyncing reads.
func (s Syncing) String() string {
	switch {
	case s.Each:
		return "each"
	case s.Interval > 0:
		return "interval=" + s.Interval.String()
	}
	return "none"
}

// Retention says what a log keeps. The zero value is everything. Whole segments
// go, the oldest first, as records are committed; the one being written stays.
type Retention struct {
	Bytes int64         // of segments; 0: no limit
	Age   time.Duration // of a segment's last record, by the wall clock; 0: no limit
}

// ParseSince reads time=T with T in the form of RFC 3339.
func ParseSince(s string) (time.Time, error) {
	v, ok := strings.CutPrefix(s, "time=")
	if t, err := time.Parse(time.RFC3339, v); ok && err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("%w: start %q, want time=T with T such as 2006-01-02T15:04:05Z", ErrConfig, s)
}

// keeps is nil if what only a log can do is not asked of something else, and a
// rendezvous not of what cannot know who has released.
func (cfg ProducerConfig) keeps(t target) error {
	if cfg.Rendezvous && (t.scheme == &logScheme || t.scheme == &mqScheme || t.scheme == &udpScheme) {
		return fmt.Errorf("%w: a rendezvous (capacity 0) needs a medium that knows its consumers, found %s: %w", ErrConfig, t.scheme.name, errors.ErrUnsupported)
	}
	if t.scheme == &logScheme {
		if cfg.Segment < 0 || cfg.Retain.Bytes < 0 || cfg.Retain.Age < 0 || cfg.Sync.Interval < 0 {
			return fmt.Errorf("%w: segments of %d bytes, keeping %d bytes and %v, sync every %v: want 0 or more",
				ErrConfig, cfg.Segment, cfg.Retain.Bytes, cfg.Retain.Age, cfg.Sync.Interval)
		}
		return nil
	}
	if cfg.Segment != 0 || cfg.Retain != (Retention{}) || cfg.Sync != (Syncing{}) {
		return fmt.Errorf("%w: want log: for segments, retention and sync, found %s", ErrConfig, t.scheme.name)
	}
	return nil
}

func (cfg ConsumerConfig) keeps(t target) error {
	if t.scheme != &logScheme && !cfg.Since.IsZero() {
		return fmt.Errorf("%w: want log: to read from a time, found %s", ErrConfig, t.scheme.name)
	}
	return nil
}

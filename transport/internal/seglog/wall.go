package seglog

import (
	"os"
	"time"
)

// This file alone knows what time of day it is. Retention by age and replay
// from a time cannot do without; nothing else looks at it, and nothing is
// right or wrong because of it.

// wallNow is nanoseconds since 1970.
func wallNow() int64 { return time.Now().UnixNano() }

func (d folder) stat(name string) (about, error) {
	info, err := os.Lstat(d.path(name))
	if err != nil {
		return about{}, err
	}
	return about{size: info.Size(), written: info.ModTime().UnixNano()}, nil
}

// wallOf is what marks are compared with.
func wallOf(t time.Time) int64 { return t.UnixNano() }

//go:build !linux

package monotonic

import "time"

func clock() int64 { return time.Now().UnixNano() }

//go:build !amd64 && !arm64

package ring

import (
	"runtime"
	"sync/atomic"
)

var barrierWord atomic.Uint64

// fullBarrier: an atomic read-modify-write of Go is sequentially consistent,
// and on the processors that this file serves it is a full barrier in hardware.
func fullBarrier() { barrierWord.Add(1) }
func loadBarrier() { barrierWord.Add(1) }

func pause(uint32) { runtime.Gosched() }

func prefetch(*uint64) {}

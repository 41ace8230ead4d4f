//go:build !linux

package seglog

import "runtime"

// nap gives up the turn: no sleep is short enough.
func nap() { runtime.Gosched() }

package seccomp

import (
	"runtime"
	"unsafe"
)

func address(p *uint32) uintptr { return uintptr(unsafe.Pointer(p)) }

func lock() { runtime.LockOSThread() }

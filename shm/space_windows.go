package shm

import (
	"errors"
	"math"

	"golang.org/x/sys/windows"
)

// fileSizeLimit returns how large this process may make a file: Windows sets
// processes no such limit.
func fileSizeLimit() uint64 { return math.MaxUint64 }

func isNoSpace(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

// freeSpace returns the bytes this user may still write in dir.
func freeSpace(dir string) int64 {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return unknownSpace
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(name, &free, nil, nil); err != nil {
		return unknownSpace
	}
	return int64(min(free, math.MaxInt64))
}

package shm

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// linuxNamedDir is where Linux systems mount a tmpfs for shared memory.
const linuxNamedDir = "/dev/shm"

// NamedDir returns the folder for named shared memory, which is /dev/shm on
// Linux. The error wraps [ErrNoNamedDir] and [errors.ErrUnsupported] where the
// system has none, or where what is in that folder would not be in memory.
func NamedDir() (string, error) {
	if runtime.GOOS != "linux" {
		return "", fmt.Errorf("%w: wanted %s, found %s: %w", ErrNoNamedDir, linuxNamedDir, runtime.GOOS, errors.ErrUnsupported)
	}
	return namedDir(linuxNamedDir)
}

func namedDir(dir string) (string, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return "", fmt.Errorf("%w: %w: %w", ErrNoNamedDir, err, errors.ErrUnsupported)
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%w: wanted a directory %s, found %s: %w", ErrNoNamedDir, dir, kindOf(info.Mode()), errors.ErrUnsupported)
	}
	if found := notInMemory(dir); found != "" {
		return "", fmt.Errorf("%w: wanted a tmpfs at %s, found %s: %w", ErrNoNamedDir, dir, found, errors.ErrUnsupported)
	}
	return dir, nil
}

//go:build linux && !carousel_portable

package shm

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Memory cgroups. Beyond the limit of one, neither fallocate nor a store into a
// mapping fails: the kernel kills. So it is asked beforehand.

// A cage is how one kind of cgroups tells what it allows.
type cage struct {
	controller   string // in /proc/self/cgroup
	root         string
	limit, usage string
	reclaimable  []string // of memory.stat: what the kernel takes back first
}

var cages = []cage{
	{"", "/sys/fs/cgroup", "memory.max", "memory.current", []string{"inactive_file", "active_file"}},
	{"memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", []string{"total_inactive_file", "total_active_file"}},
}

// fitsMemory refuses size bytes of memory for path where that many are certain
// to exceed the limit of this process.
func fitsMemory(path string, size int64) error {
	left, whose := memoryLeft()
	if left == unknownSpace || size <= left {
		return nil
	}
	return fmt.Errorf("%w for %s: wanted %d bytes, found %d bytes left under the limit of memory in %s: %w", ErrNoSpace, path, size, left, whose, syscall.ENOSPC)
}

// memoryLeft is how much memory this process may take yet, and which cgroup
// says so. It errs to the large side. Where there is swap space, what exceeds
// the limit may go there: unknown.
func memoryLeft() (left int64, whose string) {
	left = unknownSpace
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return left, ""
	}
	for line := range strings.Lines(string(text)) {
		words := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(words) != 3 {
			continue
		}
		for _, c := range cages {
			if words[1] != c.controller {
				continue
			}
			// Up to the root: each may have a limit of its own. In a container the
			// path may be that of the host, which is not there.
			for at := filepath.Clean("/" + words[2]); ; at = filepath.Dir(at) {
				dir := filepath.Join(c.root, at)
				if n := c.left(dir); n != unknownSpace && (left == unknownSpace || n < left) {
					left, whose = n, dir
				}
				if at == "/" {
					break
				}
			}
		}
	}
	if left != unknownSpace && swaps() {
		return unknownSpace, ""
	}
	return left, whose
}

func (c cage) left(dir string) int64 {
	limit, ok := number(filepath.Join(dir, c.limit))
	if !ok {
		return unknownSpace // none, or no such cgroup
	}
	usage, ok := number(filepath.Join(dir, c.usage))
	if !ok {
		return unknownSpace
	}
	stat, err := os.ReadFile(filepath.Join(dir, "memory.stat"))
	if err != nil {
		return unknownSpace
	}
	for line := range strings.Lines(string(stat)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, r := range c.reclaimable {
			if n, err := strconv.ParseInt(value, 10, 64); name == r && err == nil {
				usage -= n
			}
		}
	}
	return max(limit-max(usage, 0), 0)
}

func number(path string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}

// swaps tells whether this machine has swap space, or does not say.
func swaps() bool {
	text, err := os.ReadFile("/proc/swaps")
	return err != nil || bytes.Count(text, []byte("\n")) > 1
}

// inMemory tells whether the files in dir lie in memory.
func inMemory(dir string) bool {
	var s unix.Statfs_t
	return unix.Statfs(dir, &s) == nil && uint32(s.Type) == unix.TMPFS_MAGIC
}

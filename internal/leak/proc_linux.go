package leak

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const sharedDir = "/dev/shm"

func sharedFiles() map[string]string {
	found := map[string]string{}
	entries, _ := os.ReadDir(sharedDir) // none: nothing can be left there
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), Prefix()) {
			path := filepath.Join(sharedDir, e.Name())
			found[path] = path
		}
	}
	return found
}

// children returns this process's children, those that have ended and were
// not waited for among them.
func children() map[string]string {
	found := map[string]string{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // gone meanwhile
		}
		if pid, desc, ppid := parseStat(string(text)); ppid == os.Getpid() {
			found[pid] = desc
		}
	}
	return found
}

// parseStat takes what is needed from /proc/PID/stat: "12 (name) S 1 ...".
// The name may contain spaces and parentheses.
func parseStat(text string) (pid, desc string, ppid int) {
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return "", "", -1
	}
	rest := strings.Fields(text[end+1:])
	if len(rest) < 2 {
		return "", "", -1
	}
	ppid, err := strconv.Atoi(rest[1])
	if err != nil {
		return "", "", -1
	}
	pid = strings.TrimSpace(text[:open])
	return pid, pid + " " + text[open:end+1] + " in state " + rest[0], ppid
}

// runtimeDescriptors are opened by the Go runtime when it first needs them,
// and kept.
var runtimeDescriptors = map[string]bool{
	"anon_inode:[eventpoll]": true,
	"anon_inode:[eventfd]":   true,
	"anon_inode:[pidfd]":     true,
}

func descriptors() map[string]int {
	const dir = "/proc/self/fd"
	found := map[string]int{}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		// The descriptor that listed the directory is closed by now.
		to, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err == nil && !runtimeDescriptors[to] && !strings.HasPrefix(to, "pidfd:") {
			found[to]++
		}
	}
	return found
}

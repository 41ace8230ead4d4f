package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

const unpinned = -1

// parseCPUs reads "A,B", or chooses when there is nothing to read.
func parseCPUs(text string, allowed []int) (cpus [2]int, err error) {
	if text == "" {
		if len(allowed) < 2 {
			return [2]int{unpinned, unpinned}, nil
		}
		return [2]int{allowed[0], allowed[1]}, nil
	}
	a, b, ok := strings.Cut(text, ",")
	for i, s := range []string{a, b} {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || n < 0 || !ok {
			return cpus, fmt.Errorf("-cpus %q: wanted two numbers, such as 0,1", text)
		}
		cpus[i] = n
	}
	if allowed == nil {
		return cpus, fmt.Errorf("-cpus: pinning on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	return cpus, nil
}

// describeHost is one line about what the figures were measured on. What a
// system does not tell is left out.
func describeHost(cpus [2]int) string {
	about := []string{runtime.GOOS + "/" + runtime.GOARCH}
	if model := field("/proc/cpuinfo", "model name"); model != "" {
		about[0] = model
	}
	if kernel := firstLine("/proc/sys/kernel/osrelease"); kernel != "" {
		about = append(about, "Linux "+kernel)
	}
	about = append(about, runtime.Version())
	if cpus[0] == unpinned {
		about = append(about, fmt.Sprintf("not pinned (%d CPUs)", runtime.NumCPU()))
	} else {
		about = append(about, fmt.Sprintf("CPUs %d and %d of %d", cpus[0], cpus[1], runtime.NumCPU()))
	}
	return strings.Join(about, ", ")
}

// load is the average of runnable processes over the last minute, as text.
func load() string {
	average, _, _ := strings.Cut(firstLine("/proc/loadavg"), " ")
	if average == "" {
		return "unknown"
	}
	return average
}

func firstLine(file string) string {
	b, _ := os.ReadFile(file)
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(line)
}

// field returns the first value of a key in a file of lines "key : value".
func field(file, key string) string {
	b, _ := os.ReadFile(file)
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

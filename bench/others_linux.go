package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is what the processors have done so far: all of them, for everybody
// and for this process with its children. Its difference between two moments
// tells how much others took.
type usage struct {
	at         time.Time
	busy, mine time.Duration
}

// jiffy is the unit of /proc/stat.
const jiffy = 10 * time.Millisecond

func readUsage() usage {
	u := usage{at: time.Now()}
	fields := strings.Fields(firstLine("/proc/stat"))
	for i, f := range fields {
		// cpu user nice system idle iowait irq softirq steal; guests are in user.
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return usage{at: u.at}
		}
		u.busy += time.Duration(n) * jiffy
	}
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if syscall.Getrusage(who, &r) == nil {
			u.mine += time.Duration(r.Utime.Nano() + r.Stime.Nano())
		}
	}
	return u
}

// others is the share of all processors, in percent, that others took since.
func (u usage) others() float64 {
	now := readUsage()
	took := (now.busy - u.busy) - (now.mine - u.mine)
	return max(0, 100*float64(took)/float64(now.at.Sub(u.at))/float64(allCPUs()))
}

// allCPUs is how many /proc/stat is about.
func allCPUs() int {
	b, _ := os.ReadFile("/proc/stat")
	if n := strings.Count(string(b), "\ncpu"); n > 0 {
		return n
	}
	return runtime.NumCPU()
}

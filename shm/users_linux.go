package shm

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
)

func anybody(uid uint32) bool { return uid == overflowUser() && !hasAllUsers() }

var overflowUser = sync.OnceValue(func() uint32 {
	text, _ := os.ReadFile("/proc/sys/kernel/overflowuid")
	return overflow(string(text))
})

var hasAllUsers = sync.OnceValue(func() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && allUsers(string(text))
})

// commonOverflow is the id that they share unless somebody has changed it.
const commonOverflow = 65534

// allUsers tells whether a map of a user namespace, in the form of
// /proc/self/uid_map, has every user that there can be.
func allUsers(uidMap string) bool {
	var n uint64
	for line := range strings.Lines(uidMap) {
		var inside, outside, count uint64
		if _, err := fmt.Sscan(line, &inside, &outside, &count); err != nil {
			return false
		}
		n += count
	}
	return n >= math.MaxUint32 // the last number is no user
}

func overflow(text string) uint32 {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return commonOverflow
	}
	return uint32(n)
}

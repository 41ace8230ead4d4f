//go:build linux && !carousel_portable

package hostile

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const page = 4096

// Where words lie in a slot, and in the producer's pages (ring/layout.go): who
// attacks knows the layout.
const (
	slotCursor     = 0
	slotGeneration = 128
	slotPolicy     = 136
	slotWaiting    = 256
	slotBell       = 260

	producerWords = page // page 1 of the broadcast segment
)

// handed finds the descriptors that Dial was handed, among those of a process.
func handed(pid string) (broadcast, slot int, err error) {
	broadcast, slot = -1, -1
	entries, err := os.ReadDir("/proc/" + pid + "/fd")
	if err != nil {
		return -1, -1, err
	}
	for _, e := range entries {
		to, _ := os.Readlink("/proc/" + pid + "/fd/" + e.Name())
		fd, _ := strconv.Atoi(e.Name())
		switch {
		case strings.HasPrefix(to, "/memfd:carousel-ring"):
			broadcast = fd
		case strings.HasPrefix(to, "/memfd:carousel-slot"):
			slot = max(slot, fd) // the newest
		}
	}
	if broadcast < 0 || slot < 0 {
		return -1, -1, fmt.Errorf("descriptors %d and %d of the process %s, want both memfds", broadcast, slot, pid)
	}
	return broadcast, slot, nil
}

func sizeOf(fd int) (int, error) {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	return int(st.Size), err
}

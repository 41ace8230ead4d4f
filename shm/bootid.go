package shm

import (
	"encoding/hex"
	"os"
	"strings"
	"sync"
)

// BootID returns what identifies this boot of the system: what was in memory
// under another one is gone. It is zero when unknown, as it is on systems
// other than Linux.
func BootID() [16]byte { return bootID() }

var bootID = sync.OnceValue(func() (id [16]byte) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return id
	}
	b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(string(text)), "-", ""))
	if err != nil || len(b) != len(id) {
		return id
	}
	return [16]byte(b)
})

package leak

import (
	"runtime"
	"strings"
)

// goroutines returns the stacks of all goroutines but the calling one, by the
// goroutine's number. The one that delivers signals is left out: it starts
// with the first [os/signal.Notify] and never ends.
func goroutines() map[string]string {
	buf := make([]byte, 64<<10)
	n := runtime.Stack(buf, true)
	for n == len(buf) {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	stacks := strings.Split(strings.TrimSpace(string(buf[:n])), "\n\n")
	found := map[string]string{}
	for _, s := range stacks[1:] { // the first is the caller
		if strings.Contains(s, "\nos/signal.loop(") {
			continue
		}
		id, _, _ := strings.Cut(s, " [") // "goroutine 7 [select]:"
		found[id] = strings.ReplaceAll(strings.TrimPrefix(s, "goroutine "), "\n", "\n\t")
	}
	return found
}

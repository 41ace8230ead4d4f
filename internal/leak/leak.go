// Package leak fails a test run that leaves something behind: files in
// /dev/shm, child processes, descriptors, goroutines. A package uses it by
//
//	func TestMain(m *testing.M) { os.Exit(leak.Check(m)) }
//
// What it cannot see on a system it does not judge: without /proc only
// goroutines are counted.
package leak

import (
	"fmt"
	"io"
	"os"
	"time"
)

// patience is how long what is left may take to go away by itself.
const patience = 2 * time.Second

// Prefix returns how the names begin that the tests of this process must give
// to whatever they make in /dev/shm. It contains the process id, because the
// tests of several packages run at once.
func Prefix() string { return fmt.Sprintf("carousel-test-%d-", os.Getpid()) }

// Check runs the tests and returns the exit code for [os.Exit]: that of the
// tests, or 1 if they passed but left something behind, which is then listed
// on standard error. [*testing.M] is an M.
func Check(m M) int { return check(m, os.Stderr, patience) }

// M is what Check needs of a [*testing.M].
type M interface{ Run() int }

func check(m M, w io.Writer, patience time.Duration) int {
	before := take()
	code := m.Run()
	var left []string
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if left = take().beyond(before); len(left) == 0 {
			return code
		}
		if !time.Now().Before(end) {
			break
		}
	}
	fmt.Fprintf(w, "leak: wanted nothing left behind by the tests, found %d:\n", len(left))
	for _, l := range left {
		fmt.Fprintf(w, "leak: %s\n", l)
	}
	if code == 0 {
		return 1
	}
	return code
}

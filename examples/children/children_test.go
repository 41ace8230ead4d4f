//go:build linux && !carousel_portable

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/carousel-ipc/carousel/internal/leak"
)

// The test binary is the program, and its children, too.
const runVariable = "CHILDREN_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(runVariable) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(leak.Check(m))
}

func TestEveryChildSeesEveryLine(t *testing.T) {
	var lines strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&lines, "line %d is red, green or blue %s\n", i, []string{"red", "green", "blue"}[i%3])
	}
	c := exec.Command(os.Args[0], "or blue red", "or blue green", "1")
	c.Env = append(os.Environ(), runVariable+"=1")
	c.Stdin = strings.NewReader(lines.String())
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ones := 0
	for i := range 50_000 {
		if strings.Contains(fmt.Sprint(i), "1") {
			ones++
		}
	}
	for _, want := range []string{"or blue red: 16667 lines\n", "or blue green: 16667 lines\n", fmt.Sprintf("1: %d lines\n", ones)} {
		if !strings.Contains("\n"+string(out), "\n"+want) {
			t.Errorf("wanted %q, found\n%s", want, out)
		}
	}
}

func TestAChildThatFailsEndsTheParent(t *testing.T) {
	c := exec.Command(os.Args[0], "\xff") // no name for a consumer
	c.Env = append(os.Environ(), runVariable+"=1")
	out, err := c.CombinedOutput()
	if err == nil || !strings.Contains(string(out), `child for "\xff": exit status 1`) {
		t.Errorf("%v\n%s", err, out)
	}
}

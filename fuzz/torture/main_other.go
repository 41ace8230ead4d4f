//go:build !linux

package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	fmt.Fprintf(os.Stderr, "torture: wanted Linux, found %s\n", runtime.GOOS)
	os.Exit(2)
}

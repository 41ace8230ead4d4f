// Children counts lines by pattern, with a process for each pattern. All of
// them see every line; none of them can touch what the others see.
//
//	go run ./examples/children error warning timeout < app.log
//
// The ring has no name: each child inherits its place on it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// childVariable tells this program that it is to be a child, and its pattern.
const childVariable = "CHILDREN_PATTERN"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "children:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if pattern, ok := os.LookupEnv(childVariable); ok {
		return child(ctx, pattern, os.NewFile(3, "invitation"), os.Stdout)
	}
	if len(os.Args) < 2 {
		return errors.New("want patterns, found none")
	}
	return parent(ctx, os.Args[1:], os.Stdin)
}

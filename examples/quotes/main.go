// Quotes publishes prices and follows them in two ways: a book that may not
// miss one, and a display that wants the newest and nothing else. Each is a
// process, started in any order:
//
//	go run ./examples/quotes book &
//	go run ./examples/quotes display &
//	go run ./examples/quotes publish
//
// Kill the publisher with -9 and start it again: the others go on, and the book
// has no gap.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type options struct {
	url       string
	ticks     int
	every     time.Duration
	consumers int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quotes:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	flags := flag.NewFlagSet("quotes", flag.ContinueOnError)
	flags.StringVar(&o.url, "url", "shm://quotes", "where the quotes are")
	flags.IntVar(&o.ticks, "ticks", 0, "publish so many ticks; 0: until interrupted")
	flags.DurationVar(&o.every, "every", 10*time.Millisecond, "time between ticks, or looks of the display")
	flags.IntVar(&o.consumers, "consumers", 0, "publish nothing before so many consumers are there")
	if len(args) == 0 {
		return errors.New("want publish, book or display, found nothing")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "publish":
		return publish(ctx, o, out)
	case "book":
		return book(ctx, o, out)
	case "display":
		return display(ctx, o, out)
	}
	return fmt.Errorf("want publish, book or display, found %q", args[0])
}

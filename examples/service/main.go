// Service is an HTTP service that tells its events to any number of processes
// on the same machine. Requests come over a Unix socket; each becomes a record
// on a ring that the service hands out at a second socket.
//
//	go run ./examples/service -dir DIR serve &
//	go run ./examples/service -dir DIR follow &
//	curl --unix-socket DIR/http.sock -d 'order 17 was paid' http://service/events
//	curl --unix-socket DIR/http.sock http://service/consumers
//
// DIR has to be a folder of one's own: whoever can write to it can take the
// place of a socket. Followers can read the ring and nothing else; what they do
// or fail to do does not touch what others read.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	dir := flags.String("dir", ".", "folder of the two sockets")
	if err := flags.Parse(args); err != nil {
		return err
	}
	requests, events := filepath.Join(*dir, "http.sock"), filepath.Join(*dir, "events.sock")
	switch flags.Arg(0) {
	case "serve":
		return serve(ctx, requests, events)
	case "follow":
		return follow(ctx, events, out)
	}
	return fmt.Errorf("want serve or follow, found %q", flags.Arg(0))
}

// Producer turns standard input, or a load that it generates, into the records
// of a ring. "producer -h" tells the rest.
package main

import (
	"os"

	"github.com/carousel-ipc/carousel/internal/cli"
)

func main() { os.Exit(cli.Producer(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

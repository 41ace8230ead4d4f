// Consumer writes the records of a ring to standard output, or checks and
// times them. "consumer -h" tells the rest.
package main

import (
	"os"

	"github.com/carousel-ipc/carousel/internal/cli"
)

func main() { os.Exit(cli.Consumer(os.Args[1:], os.Stdout, os.Stderr)) }

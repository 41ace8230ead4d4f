// Command peers is the sides of contestants that need more than the root module
// wants: other systems that carry messages between processes or goroutines. The
// bench builds it and starts it (go run ./bench -peers); it is of no use alone.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

func main() {
	if job, ok := os.LookupEnv(side.Variable); ok {
		os.Exit(side.Main(job, find))
	}
	list := flag.Bool("list", false, "say what there is, as JSON")
	dir := flag.String("dir", "", "compile what is not Go into this `folder`")
	flag.Parse()
	if !*list || *dir == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "peers: started by the bench (go run ./bench -peers), wanted -list and -dir")
		os.Exit(2)
	}
	for _, p := range peers {
		if p.build != nil {
			if err := p.build(context.Background(), *dir); err != nil {
				fmt.Fprintln(os.Stderr, "peers:", err)
				os.Exit(1)
			}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(peers); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func find(name string) (side.Contestant, bool) {
	for _, p := range peers {
		if p.Name == name {
			return p.contestant, true
		}
	}
	return side.Contestant{}, false
}

package fuzz

import (
	"fmt"
	"os"
	"testing"

	"github.com/carousel-ipc/carousel/internal/leak"
)

func TestMain(m *testing.M) {
	if dir, ok := os.LookupEnv(mutatorVariable); ok {
		fmt.Fprintln(os.Stderr, beMutator(dir))
		os.Exit(1)
	}
	os.Exit(leak.Check(m))
}

package fuzz

import (
	"os"
	"testing"

	"github.com/carousel-ipc/carousel/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Check(m)) }

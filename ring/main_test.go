package ring

import (
	"fmt"
	"os"
	"testing"

	"github.com/carousel-ipc/carousel/internal/leak"
)

// The test binary starts itself anew for what needs a process of its own.
const roleEnv = "CAROUSEL_TEST_ROLE"

var roles = map[string]func() error{
	"producer": producerRole,
	"consumer": consumerRole,
	"hold":     holdRole,
}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		if err := roles[role](); err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(leak.Check(m))
}

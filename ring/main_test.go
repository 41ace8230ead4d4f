package ring

import (
	"bytes"
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

// emulated tells whether this program is started by a script of that name.
func emulated() bool {
	text, err := os.ReadFile(os.Args[0])
	return err == nil && bytes.HasPrefix(text, []byte("#!"))
}

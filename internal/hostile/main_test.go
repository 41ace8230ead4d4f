//go:build linux && !carousel_portable

package hostile

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/carousel-ipc/carousel/internal/leak"
)

// roleEnv names the part that a copy of this test binary plays.
const roleEnv = "CAROUSEL_HOSTILE_ROLE"

// roles are those parts. Each sets itself up and returns what it does at which
// command.
var roles = map[string]func() (commands, error){
	"producer": producerRole,
	"honest":   honestRole,
	"attacker": attackerRole,
	"hostile":  hostileRole,
	"named":    namedRole,
}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		if err := play(roles[role]); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", role, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(leak.Check(m))
}

// commands are what a part can be told to do, by name, with words behind it.
// What one returns is said, behind its name.
type commands map[string]func(args []string) string

// play obeys until standard input ends, which it does with the test, whatever
// becomes of that. Commands are obeyed at once, beside each other.
func play(role func() (commands, error)) error {
	able, err := role()
	if err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(strings.ReplaceAll(text, "\n", "; "))
	}
	say("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		do := able[words[0]]
		if do == nil {
			return fmt.Errorf("told to %q, want one of its commands", in.Text())
		}
		go func() { say(words[0] + " " + do(words[1:])) }()
	}
	return in.Err()
}

package transport

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// named sees to it that a consumer which is no ring's has a name that a ring's
// could have: by default, that of the program and its pid.
func named(cfg *ConsumerConfig) error {
	if cfg.Name == "" {
		cfg.Name = strings.ToValidUTF8(fmt.Sprintf("%.32s-%d", filepath.Base(os.Args[0]), os.Getpid()), "?")
	}
	if len(cfg.Name) > MaxName || !utf8.ValidString(cfg.Name) || strings.ContainsFunc(cfg.Name, unicode.IsControl) {
		return fmt.Errorf("%w: name %q, want at most %d bytes of valid UTF-8 without control characters", ErrConfig, shorten(cfg.Name), MaxName)
	}
	return nil
}

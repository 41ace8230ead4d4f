// Package native builds the programs of the bench that are not Go: what the
// machine can do at best, and rings in C to compare with. Their sources are
// embedded, and compiled when they are needed, so that nothing but the bench
// asks for a compiler.
package native

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

//go:embed src
var sources embed.FS

// ErrMissing: this machine has not what it takes.
var ErrMissing = errors.New("missing")

// Programs are those that Build makes.
var Programs = []string{"limits", "ring", "broadcast"}

// Build compiles the programs into dir.
func Build(ctx context.Context, dir string) error {
	for _, name := range Programs {
		text, err := sources.ReadFile("src/" + name + ".c")
		if err != nil {
			return err
		}
		if err := Compile(ctx, dir, name, "c", string(text)); err != nil {
			return err
		}
	}
	return nil
}

// Compile makes the program dir/name of one source text in c or c++, which may
// include side.h. Where there is no compiler, or it does not find a header or a
// library of libs, the error is ErrMissing.
func Compile(ctx context.Context, dir, name, language, text string, libs ...string) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("%w: the C programs are for Linux, this is %s", ErrMissing, runtime.GOOS)
	}
	compiler, standard := "cc", "-std=gnu11"
	if language == "c++" {
		compiler, standard = "c++", "-std=gnu++17"
	}
	if _, err := exec.LookPath(compiler); err != nil {
		return fmt.Errorf("%w: no compiler %s", ErrMissing, compiler)
	}
	header, err := sources.ReadFile("src/side.h")
	if err != nil {
		return err
	}
	// Apart from the programs, of which one is called as a header of C++ is.
	include := filepath.Join(dir, "include")
	if err := os.MkdirAll(include, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(include, "side.h"), header, 0o600); err != nil {
		return err
	}
	args := []string{"-O2", standard, "-w", "-I", include, "-o", filepath.Join(dir, name), "-x", language, "-", "-lpthread", "-lrt"}
	cmd := exec.CommandContext(ctx, compiler, append(args, libs...)...)
	cmd.Stdin = strings.NewReader(text)
	if said, err := cmd.CombinedOutput(); err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
		return fmt.Errorf("%w: %s does not compile (%w): %s", ErrMissing, name, err, first)
	}
	return nil
}

package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/carousel-ipc/carousel/bench/internal/native"
	"github.com/carousel-ipc/carousel/bench/internal/side"
)

//go:embed src
var sources embed.FS

// inOther is a peer whose sides are a program in another language: this process
// becomes it.
func inOther(name, language, program, about string, libs ...string) peer {
	join := func(side.Job) (side.End, error) { return nil, become(program) }
	return peer{
		Name: name, About: about, Works: []string{oneWay, roundTrip}, Sizes: allSizes,
		contestant: side.Contestant{Name: name, Join: join},
		build:      func(ctx context.Context, dir string) error { return compile(ctx, dir, program, language, libs) },
	}
}

// compile leaves the program in dir, or the reason why there is none.
func compile(ctx context.Context, dir, program, language string, libs []string) error {
	extension := ".c"
	if language == "c++" {
		extension = ".cc"
	}
	text, err := sources.ReadFile("src/" + program + extension)
	if err != nil {
		return err
	}
	err = native.Compile(ctx, dir, program, language, string(text), libs...)
	if errors.Is(err, native.ErrMissing) {
		return os.WriteFile(filepath.Join(dir, program+".missing"), []byte(err.Error()), 0o600)
	}
	return err
}

// become runs the program beside this one in its place.
func become(program string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	program = filepath.Join(filepath.Dir(self), program)
	if why, err := os.ReadFile(program + ".missing"); err == nil {
		return fmt.Errorf("%w: %s", side.ErrMissing, why)
	}
	return syscall.Exec(program, []string{program}, os.Environ())
}

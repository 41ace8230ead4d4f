package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// The peers live in a module of their own, bench/peers, because of what they
// need. Its program speaks to this one as its own sides do, and says in which
// works its contestants take part.

const (
	peersProgram = "peers"
	peersModule  = "bench/peers"
)

func peerOf(name string) contestant {
	return contestant{Contestant: side.Contestant{Name: name}, kind: foreign, peer: true}
}

// The peers that goals name.
var (
	zeroMQ     = peerOf("ZeroMQ")
	flipcall   = peerOf("gVisor flipcall")
	xsyncQueue = onePart(peerOf("xsync SPSC queue"))
)

// onePart is a contestant that is all sides in one process.
func onePart(c contestant) contestant {
	c.Pair = func(side.Job) (ends [2]side.End, err error) { return ends, errors.New("it is a peer's") }
	return c
}

// A peer is what the program of bench/peers says of a contestant.
type peer struct {
	Name   string   `json:"name"`
	About  string   `json:"about"`
	Works  []string `json:"works"`
	Sizes  []int    `json:"sizes"` // of one way; of the others 64
	OneAll bool     `json:"one_process"`
}

// buildPeers compiles the module and asks it what there is.
func buildPeers(ctx context.Context, dir string) ([]peer, error) {
	module, err := findModule()
	if err != nil {
		return nil, err
	}
	program := filepath.Join(dir, peersProgram)
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	build.Dir = module
	build.Env = append(os.Environ(), "GOWORK=off")
	if said, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: the module does not build (%w): %s", side.ErrMissing, err, lastLine(said))
	}
	list := exec.CommandContext(ctx, program, "-list", "-dir", dir)
	list.Stderr = os.Stderr
	said, err := list.Output()
	if err != nil {
		return nil, err
	}
	var peers []peer
	return peers, json.Unmarshal(said, &peers)
}

// findModule looks for bench/peers in this folder and those above.
func findModule() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		module := filepath.Join(dir, filepath.FromSlash(peersModule))
		if _, err := os.Stat(filepath.Join(module, "go.mod")); err == nil {
			return module, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%w: wanted %s in %s or a folder above, found none", side.ErrMissing, peersModule, start)
		}
	}
}

// removeShared removes what peers made in shared memory under the link's name.
func removeShared(link string) (err error) {
	names, _ := filepath.Glob(filepath.Join("/dev/shm", link+"*"))
	for _, name := range names {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

func lastLine(b []byte) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}

// entries of a peer, beside those of the program.
func (p peer) entries() (entries []entry) {
	c := peerOf(p.Name)
	c.about = p.About
	if p.OneAll {
		c = onePart(c)
	}
	for _, work := range p.Works {
		switch {
		case work == oneWay.work && p.OneAll:
			entries = append(entries, entry{inProcess, c, small, 1, 1, false})
		case work == oneWay.work:
			for _, size := range p.Sizes {
				entries = append(entries, entry{oneWay, c, size, 1, 1, false})
			}
		case work == roundTrip.work:
			entries = append(entries, entry{roundTrip, c, small, 1, 1, false})
		}
	}
	return entries
}

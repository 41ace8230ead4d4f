package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// growingFile is a file that one side appends to while the other reads it, as
// logs are written and followed. It ends with half a word.
func growingFile() contestant {
	return plainGo("growing file", "os.File, one Write for each message; who reads looks again every 50 µs at the end", layGrowing, joinGrowing)
}

func layGrowing(_ *link, j side.Job) error {
	if err := usePages(nil, j); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(j.Dir, "growing"), nil, 0o600)
}

// usePages has the kernel use, and give back, the memory that a file is about to
// take: pages that a virtual machine has never touched cost it several times as
// much as others, and whoever writes more would meet more of them.
func usePages(_ *link, j side.Job) error {
	name := filepath.Join(j.Dir, "pages")
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	for b := make([]byte, 1<<20); err == nil; {
		var at int64
		if at, err = f.Seek(0, io.SeekCurrent); at >= 256<<20 {
			break
		}
		_, err = f.Write(b)
	}
	return errors.Join(err, f.Close(), os.Remove(name))
}

func joinGrowing(j side.Job) (side.End, error) {
	g, err := openGrowing(j)
	if err != nil {
		return nil, err
	}
	return newStreamEnd(j, g, g), nil
}

func openGrowing(j side.Job) (*growing, error) {
	f, err := os.OpenFile(filepath.Join(j.Dir, "growing"), os.O_RDWR|os.O_APPEND, 0)
	return &growing{File: f}, err
}

type growing struct {
	*os.File
	ended bool
}

var endMark = []byte("end.")

func (g *growing) Close() error {
	_, err := g.File.Write(endMark)
	return errors.Join(err, g.File.Close())
}

// Read waits for more, and takes the end mark off.
func (g *growing) Read(b []byte) (n int, err error) {
	for n == 0 && !g.ended {
		if n, err = g.File.Read(b); n%8 == len(endMark) {
			n, g.ended = n-len(endMark), true
		} else if err == io.EOF {
			time.Sleep(50 * time.Microsecond)
		} else if err != nil {
			return n, err
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

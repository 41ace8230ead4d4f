//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// fifo is two named pipes, one for each direction.
func fifo() contestant {
	return plainGo("FIFO", "named pipe, opened by os.OpenFile, one Write for each message", layFIFOs, joinFIFOs)
}

func fifoName(j side.Job, i int) string { return filepath.Join(j.Dir, "fifo"+strconv.Itoa(i)) }

func layFIFOs(_ *link, j side.Job) error {
	for i := range 2 {
		if err := syscall.Mkfifo(fifoName(j, i), 0o600); err != nil {
			return os.NewSyscallError("mkfifo", err)
		}
	}
	return nil
}

// joinFIFOs opens in the same order on both sides, since each open waits for
// the other.
func joinFIFOs(j side.Job) (side.End, error) {
	var files [2]*os.File
	for i := range files {
		mode := os.O_RDONLY
		if i == j.Side {
			mode = os.O_WRONLY
		}
		var err error
		if files[i], err = os.OpenFile(fifoName(j, i), mode, 0); err != nil {
			return nil, err
		}
	}
	return newStreamEnd(j, files[j.Side], files[1-j.Side]), nil
}

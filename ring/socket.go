package ring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/carousel-ipc/carousel/shm"
)

// The name of a socket outlives a producer that is killed. Whoever makes or
// removes one holds the lock of its folder meanwhile.

// mostSocketPath is what fits in a socket's address.
const mostSocketPath = 107

func checkSocketPath(path string) error {
	if !shm.CanSeal {
		return shm.ErrNoMemfd
	}
	if err := cmp.Or(checkMachine(), checkPage(os.Getpagesize())); err != nil {
		return err
	}
	switch {
	case path == "" || path[0] == '@' || strings.HasSuffix(path, string(filepath.Separator)) || strings.IndexByte(path, 0) >= 0:
		return fmt.Errorf("%w: socket path %q, want the path of a file", ErrName, path)
	case len(path) > mostSocketPath:
		return fmt.Errorf("%w: socket path of %d bytes, want at most %d", ErrName, len(path), mostSocketPath)
	}
	return nil
}

// takeSocket listens at path, in place of a socket at which nobody does.
func takeSocket(path string, mode fs.FileMode) (l *net.UnixListener, unname func() error, err error) {
	if err := checkSocketPath(path); err != nil {
		return nil, nil, err
	}
	unlock, err := shm.LockDir(filepath.Dir(path), makerPatience)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := clearSocket(path); err != nil {
		return nil, nil, err
	}
	l, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, nil, err
	}
	l.SetUnlinkOnClose(false)
	err = os.Chmod(path, mode)
	var mine fs.FileInfo
	if err == nil {
		mine, err = os.Lstat(path)
	}
	if err != nil {
		return nil, nil, errors.Join(err, os.Remove(path), l.Close())
	}
	return l, func() error { return removeSocket(path, mine) }, nil
}

// clearSocket removes the socket of a producer that is gone.
func clearSocket(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return ignoreMissing(err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("ring: %s is no socket but has mode %v, want a socket or nothing: %w", path, info.Mode(), fs.ErrExist)
	}
	ctx, cancel := context.WithTimeout(context.Background(), handshakeLimit)
	defer cancel()
	s, err := Inspect(ctx, path)
	switch {
	case err == nil:
		return fmt.Errorf("%w: %s is held by %s", ErrProducerLive, path, s.Producer.Owner)
	case errors.Is(err, errNobodyListens):
		return ignoreMissing(os.Remove(path))
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, fs.ErrPermission) && !errors.Is(err, ErrRefused):
		return err
	}
	return fmt.Errorf("%w: somebody listens at %s: %w", ErrProducerLive, path, err)
}

// removeSocket takes the name away if it is still that of our socket.
func removeSocket(path string, mine fs.FileInfo) error {
	unlock, err := shm.LockDir(filepath.Dir(path), makerPatience)
	if err != nil {
		return ignoreMissing(err)
	}
	now, err := os.Lstat(path)
	if err == nil && os.SameFile(now, mine) {
		err = os.Remove(path)
	}
	return errors.Join(ignoreMissing(err), unlock())
}

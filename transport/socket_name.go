package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"
)

// The name of a socket outlives a producer that is killed. Whoever makes or
// removes one holds the lock of its folder meanwhile, where there is one.

// mostSocketPath is what fits in a socket's address everywhere.
const mostSocketPath = 103

func checkSocketPath(rest string) (string, error) {
	path, err := checkPath(rest)
	if err == nil && len(path) > mostSocketPath {
		return "", fmt.Errorf("the path of a socket has at most %d bytes, found %d", mostSocketPath, len(path))
	}
	return path, err
}

// makerPatience is how long another who makes or removes a name may take.
const makerPatience = 2 * time.Second

// listenUnix listens at path, in place of a socket at which nobody does.
func listenUnix(m socketMedium, path string, perm fs.FileMode) (l net.Listener, unname func() error, err error) {
	unlock, err := lockFolder(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := m.clear(path); err != nil {
		return nil, nil, err
	}
	s, err := net.ListenUnix(m.network, &net.UnixAddr{Name: path, Net: m.network})
	if err != nil {
		if missing(err) {
			err = fmt.Errorf("%s sockets: %w: %w", m.network, errors.ErrUnsupported, err)
		}
		return nil, nil, err
	}
	s.SetUnlinkOnClose(false)
	if perm == 0 {
		perm = 0o600
	}
	err = os.Chmod(path, perm)
	var mine fs.FileInfo
	if err == nil {
		mine, err = os.Lstat(path)
	}
	if err != nil {
		return nil, nil, errors.Join(err, os.Remove(path), s.Close())
	}
	return s, func() error { return removeName(path, mine) }, nil
}

// clear removes the socket of a producer that is gone.
func (m socketMedium) clear(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type()&(fs.ModeSocket|fs.ModeIrregular) == 0 {
		return fmt.Errorf("%s is no socket but has mode %v, want a socket or nothing: %w", path, info.Mode(), fs.ErrExist)
	}
	c, err := net.DialTimeout(m.network, path, helloLimit)
	switch {
	case err == nil:
		return errors.Join(m.held(path), c.Close())
	case refused(err):
		return os.Remove(path)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, fs.ErrPermission):
		return err
	}
	return fmt.Errorf("%w: somebody listens at %s: %w", ErrProducerLive, path, err)
}

// removeName takes a name away if it is still that of what we made.
func removeName(path string, mine fs.FileInfo) error {
	unlock, err := lockFolder(path)
	if err != nil {
		return ignoreMissing(err)
	}
	now, err := os.Lstat(path)
	if err == nil && os.SameFile(now, mine) {
		err = os.Remove(path)
	}
	return errors.Join(ignoreMissing(err), unlock())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

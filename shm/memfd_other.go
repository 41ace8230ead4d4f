//go:build !linux || carousel_portable

package shm

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// CanSeal tells whether this system has memory that can be sealed.
const CanSeal = false

// CreateMemfd makes sealable memory, on Linux.
func CreateMemfd(string, int64) (*File, error) { return nil, ErrNoMemfd }

// OpenMemfd checks sealed memory that was handed over, on Linux.
func OpenMemfd(file *os.File, _ int64, _ Seals, _ Access) (*File, error) {
	return nil, errors.Join(ErrNoMemfd, file.Close())
}

// Seal adds seals to a memfd, on Linux.
func (f *File) Seal(Seals) error { return ErrNoMemfd }

// Reserve is room for overlays, on Linux.
func Reserve(int) (*Region, error) { return nil, ErrNoMemfd }

// Overlay maps a file over a part of r, on Linux.
func (r *Region) Overlay(int, *File, Access) error { return ErrNoMemfd }

// Pair makes two ends of a connection, on Linux.
func Pair() (*net.UnixConn, *os.File, error) { return nil, nil, ErrNoMemfd }

// Send hands files over, on Linux.
func Send(*net.UnixConn, []byte, ...*File) error { return ErrNoMemfd }

// Receive takes descriptors that were handed over, on Linux.
func Receive(*net.UnixConn, []byte, int) (int, []*os.File, error) { return 0, nil, ErrNoMemfd }

// Discard closes files that were handed over, on Linux.
func Discard(...*os.File) {}

// TakeNothing has descriptors refused, on Linux.
func TakeNothing(syscall.Conn) {}

// PeerUser is who made the other end of c, on Linux.
func PeerUser(*net.UnixConn) (uint32, error) { return 0, ErrNoMemfd }

// LockDir locks a folder against others who do, on Linux.
func LockDir(string, time.Duration) (func() error, error) { return nil, ErrNoMemfd }

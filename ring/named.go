package ring

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

// A named ring is two files, NAME.ring and NAME.slots, in /dev/shm or at any
// path. Whoever makes or removes them holds the maker's lock of the .ring file
// meanwhile, and touches .slots only while the name stands for the .ring that
// it has locked. The .ring is named before the .slots and removed after them,
// so a maker or remover that is killed leaves a .ring without its .slots,
// which the next Create clears away.

// Roles of the locks on the .ring file; on the .slots file a role is a slot.
const (
	roleProducer = iota
	roleMaker
)

// Create makes the ring NAME in shared memory (/dev/shm), or opens it when it
// exists; then every value of cfg that is not zero has to agree with it. It
// never disturbs a ring in use: that there is one producer is NewProducer's
// business. The file system is asked for all the space at once, so that a
// full one is an error here (ErrNoSpace) and never a signal later.
//
// Other errors: ErrConfig; ErrName; ErrGeometry; ErrFormat and ErrUnsafeFile, of
// what has the name already; ErrLocked.
func Create(name string, cfg Config) (*Ring, error) {
	path, err := namedPath(name)
	if err != nil {
		return nil, err
	}
	return create(path, cfg, false)
}

// Open opens the ring NAME in shared memory, with or without a producer;
// fs.ErrNotExist when there is none; ErrUnsafeFile or ErrFormat when it is not
// this user's ring. It does not wait for one to be made: transport.Open does, or
// a loop that tries again.
func Open(name string) (*Ring, error) {
	path, err := namedPath(name)
	if err != nil {
		return nil, err
	}
	return openExisting(path, false)
}

// Remove takes the name away. Handles that are attached go on; their ring
// ends with the last of them. The next Create makes another ring, with another
// Stats.ID, whose records are numbered from 1. Remove refuses while a producer
// lives (ErrProducerLive): after Close of one's own that is a successor, whose
// ring it is now. fs.ErrNotExist when there is no such ring.
func Remove(name string) error {
	path, err := namedPath(name)
	if err != nil {
		return err
	}
	return remove(path)
}

// CreateFile is Create of a ring in the files PATH.ring and PATH.slots, which
// persist. On a file system on a disk they are what the page cache makes of
// them: safe from a kill of any process, and from a crash of the machine as far
// as checksums can tell.
func CreateFile(path string, cfg Config) (*Ring, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	return create(path, cfg, true)
}

// OpenFile opens the ring in PATH.ring and PATH.slots; fs.ErrNotExist when
// there is none.
func OpenFile(path string) (*Ring, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	return openExisting(path, true)
}

// RemoveFile is Remove for CreateFile.
func RemoveFile(path string) error {
	if err := checkPath(path); err != nil {
		return err
	}
	return remove(path)
}

const maxNameBytes = 200

// CheckName tells whether name is one that Create takes: 1 to 200 of the
// characters A-Za-z0-9._- and no dot in front.
func CheckName(name string) error {
	bad := strings.IndexFunc(name, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '_' || r == '-')
	})
	const want = "want 1 to 200 of A-Z a-z 0-9 . _ - and no dot in front"
	switch {
	case name == "":
		return fmt.Errorf("%w: empty, %s", ErrName, want)
	case len(name) > maxNameBytes:
		return fmt.Errorf("%w: %.20q… of %d bytes, %s", ErrName, name, len(name), want)
	case bad >= 0:
		return fmt.Errorf("%w: %q has %q, %s", ErrName, name, []rune(name[bad:])[0], want)
	case name[0] == '.':
		return fmt.Errorf("%w: %q begins with a dot, %s", ErrName, name, want)
	}
	return nil
}

func namedPath(name string) (string, error) {
	if err := cmp.Or(checkMachine(), CheckName(name)); err != nil {
		return "", err
	}
	dir, err := shm.NamedDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, name), nil
}

func checkPath(path string) error {
	if err := checkMachine(); err != nil {
		return err
	}
	if path == "" || strings.HasSuffix(path, string(filepath.Separator)) || strings.IndexByte(path, 0) >= 0 {
		return fmt.Errorf("%w: path %q, want the path of a file without its .ring", ErrName, path)
	}
	return nil
}

// How long to wait for somebody who makes or removes the same ring just now.
const makerPatience = 2 * time.Second

func create(path string, cfg Config, file bool) (*Ring, error) {
	geo, err := cfg.geometry()
	if err != nil {
		return nil, err
	}
	for start := time.Now(); ; {
		b, found, err := openFiles(path, file)
		if err == nil {
			if err := cfg.agrees(found, path); err != nil {
				return nil, errors.Join(err, b.release())
			}
			return b.ring(found, cfg)
		}
		switch {
		case errors.Is(err, errHalf):
			if err := clearHalf(path); err != nil && !errors.Is(err, errBusy) {
				return nil, err
			}
		case errors.Is(err, fs.ErrNotExist):
			if err = makeFiles(path, geo, cfg); err == nil {
				continue // to open it
			}
			if !errors.Is(err, errBusy) {
				return nil, err
			}
		default:
			return nil, err
		}
		if time.Since(start) > makerPatience {
			return nil, err
		}
		time.Sleep(time.Millisecond)
	}
}

func openExisting(path string, file bool) (*Ring, error) {
	for start := time.Now(); ; {
		b, geo, err := openFiles(path, file)
		if err == nil {
			return b.ring(geo, Config{})
		}
		// Half a ring is one that is being made or removed at this moment, or
		// what a killed process left of it.
		if !errors.Is(err, errHalf) || time.Since(start) > 50*time.Millisecond {
			return nil, err
		}
		time.Sleep(time.Millisecond)
	}
}

// agrees compares what was asked for, where it was, with what there is.
func (c Config) agrees(geo geometry, path string) error {
	differ := func(what string, want, found any) error {
		return fmt.Errorf("%w: %s.ring has %s %v, want %v", ErrGeometry, path, what, found, want)
	}
	switch {
	case c.Capacity != 0 && uint64(c.Capacity) != geo.capacity:
		return differ("capacity", c.Capacity, geo.capacity)
	case c.MaxRecord != 0 && c.MaxRecord != geo.maxPayload:
		return differ("records of up to", c.MaxRecord, geo.maxPayload)
	case c.Slots != 0 && c.Slots != geo.slots:
		return differ("slots", c.Slots, geo.slots)
	case c.Checksum && !geo.checksum:
		return differ("checksums", true, false)
	}
	return nil
}

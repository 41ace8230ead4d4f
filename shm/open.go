package shm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Open opens the file that path names, if nobody but this user can have put it
// there, change it or read it: a regular file, not a symbolic link, owned by
// the effective user, with no permission for group or others, and with exactly
// one name. (Windows knows no owner and no mode in that sense: there, what
// kind of file it is decides.) It never blocks.
//
// Every refusal wraps [ErrUnsafeFile] and tells what was wanted and what was
// found. The error wraps [fs.ErrNotExist] where there is no such name.
func Open(path string, a Access) (*File, error) {
	file, info, err := openSafe(path, a, false)
	if err != nil {
		return nil, fmt.Errorf("shm: open %s: %w", path, bare(err))
	}
	return &File{path: path, file: file, info: info, size: info.Size(), access: a, named: true}, nil
}

// bare is an error of the system's without what it was doing to which path,
// which whoever wraps it says.
func bare(err error) error {
	if e, ok := err.(*fs.PathError); ok {
		return e.Err
	}
	return err
}

// A file that is being published may have two names for a moment: how often,
// and how long apart, Open looks before it believes that this is meant.
const (
	secondNameLooks = 20
	secondNamePause = time.Millisecond
)

// openSafe opens and checks. With create it makes the file if there is none.
func openSafe(path string, a Access, create bool) (*os.File, fs.FileInfo, error) {
	// The first look spares devices and FIFOs from being opened, and words the
	// refusal. What counts is the look at what was opened.
	before, err := os.Lstat(path)
	if err == nil {
		err = checkKind(before.Mode())
	}
	var file *os.File
	switch {
	case err == nil:
		file, err = openFile(path, a, false)
	case create && errors.Is(err, fs.ErrNotExist):
		file, err = openFile(path, a, true)
	}
	if errors.Is(err, fs.ErrPermission) && before != nil {
		if refusal := checkPrivate(nil, before); errors.Is(refusal, ErrUnsafeFile) {
			err = fmt.Errorf("%w: %w", refusal, bare(err))
		}
	}
	if err != nil {
		return nil, nil, err
	}
	for looks := 0; ; looks++ {
		info, err := file.Stat()
		if err == nil {
			err = checkSafe(file, info)
		}
		switch {
		case err == nil:
			return file, info, nil
		case errors.Is(err, errSecondName) && looks < secondNameLooks:
			time.Sleep(secondNamePause)
		default:
			_ = file.Close()
			return nil, nil, err
		}
	}
}

// errSecondName is the refusal that may pass.
var errSecondName = fmt.Errorf("%w: wanted exactly one name", ErrUnsafeFile)

func checkSafe(file *os.File, info fs.FileInfo) error {
	if err := checkKind(info.Mode()); err != nil {
		return err
	}
	return checkPrivate(file, info)
}

func checkKind(m fs.FileMode) error {
	if m.IsRegular() {
		return nil
	}
	return fmt.Errorf("%w: wanted a regular file, found %s", ErrUnsafeFile, kindOf(m))
}

func kindOf(m fs.FileMode) string {
	switch {
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeCharDevice != 0:
		return "a character device"
	case m&fs.ModeDevice != 0:
		return "a block device"
	default:
		return "something irregular"
	}
}

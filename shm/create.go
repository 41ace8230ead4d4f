package shm

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Create makes a file of exactly size zero bytes that has no name yet, or none
// that anybody looks for, with mode perm whatever the umask. path is the name
// it gets by Publish or Replace. All its storage is allocated now: a store into
// a mapping of it cannot fail for want of space.
//
// Where the file system is full, or the file would lie in memory of which this
// process may not have so much, the error wraps [ErrNoSpace] and
// [syscall.ENOSPC]; where this process may not write files so large
// (RLIMIT_FSIZE) it wraps [ErrTooLarge].
//
// [Open] refuses files that perm opens to group or others.
func Create(path string, size int64, perm fs.FileMode) (*File, error) {
	if size <= 0 {
		return nil, fmt.Errorf("shm: create %s: wanted at least 1 byte, found size %d: %w", path, size, fs.ErrInvalid)
	}
	if most := fileSizeLimit(); uint64(size) > most {
		return nil, fmt.Errorf("shm: create %s: %w: wanted %d bytes, found RLIMIT_FSIZE %d: %w", path, ErrTooLarge, size, most, syscall.EFBIG)
	}
	// Asked beforehand, so as not to fill up a file system that others use.
	if free := freeSpace(filepath.Dir(path)); free != unknownSpace && size > free {
		return nil, noSpace(path, size, free, nil)
	}
	if inMemory(filepath.Dir(path)) {
		if err := fitsMemory(path, size); err != nil {
			return nil, err
		}
	}
	file, temp, err := createUnnamed(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("shm: create %s: %w", path, err)
	}
	f := &File{path: path, file: file, size: size, access: ReadWrite, temp: temp}
	if err := f.prepare(perm); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// prepare gives a file that was just made its mode and its storage.
func (f *File) prepare(perm fs.FileMode) error {
	if err := f.file.Chmod(perm.Perm()); err != nil {
		return fmt.Errorf("shm: create %s: set mode %#o: %w", f.path, perm.Perm(), err)
	}
	free := freeSpace(filepath.Dir(f.path))
	if err := allocate(f.file, f.size); err != nil {
		if isNoSpace(err) {
			return noSpace(f.path, f.size, free, err)
		}
		return fmt.Errorf("shm: create %s: allocate %d bytes: %w", f.path, f.size, err)
	}
	info, err := f.file.Stat()
	if err != nil {
		return fmt.Errorf("shm: create %s: %w", f.path, err)
	}
	f.info = info
	return nil
}

// zeros is how much is written at once where storage cannot be asked for.
const zeros = 1 << 20

// writeZeros allocates by writing.
func writeZeros(file *os.File, size int64) error {
	b := make([]byte, min(size, zeros))
	for at := int64(0); at < size; {
		n, err := file.WriteAt(b[:min(size-at, int64(len(b)))], at)
		if err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}

// createTemporary makes a file with a name that nobody looks for. It stays if
// the process is killed before it publishes or closes the file.
func createTemporary(dir string) (*os.File, string, error) {
	for {
		name := temporaryName(dir)
		file, err := openFile(name, ReadWrite, true)
		if err == nil {
			return file, name, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, "", err
		}
	}
}

func temporaryName(dir string) string {
	return filepath.Join(dir, ".carousel-"+rand.Text()+".tmp")
}

//go:build !linux || carousel_portable

package shm

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Here every role has a lock file, PATH.lock.N. Its holder has an exclusive
// lock on the whole of it and removes it when it unlocks. That of a holder who
// was killed stays, free, for the next one to take, or for Remove. Those who
// only look take a shared lock, so that somebody who fails to take the
// exclusive one can tell a holder from an onlooker.
func lockPath(path string, role int) string { return path + ".lock." + strconv.Itoa(role) }

// patience bounds how long onlookers may keep somebody from the lock.
const patience = time.Second

func (f *File) tryLock(role int) (*os.File, string, error) {
	path := lockPath(f.path, role)
	for begin := time.Now(); ; {
		file, err := tryLockFile(path)
		if !errors.Is(err, errAgain) {
			return file, path, err
		}
		if time.Since(begin) > patience {
			return nil, "", ErrLocked
		}
		time.Sleep(rand.N(200 * time.Microsecond))
	}
}

// errAgain says that the lock file was in transition.
var errAgain = errors.New("try again")

func tryLockFile(path string) (*os.File, error) {
	file, info, err := openLockFile(path)
	if err != nil {
		return nil, err
	}
	if err := lockExclusively(file); err != nil {
		_ = file.Close()
		return nil, err
	}
	// Its last holder may have removed it since it was opened: then the lock is
	// on something that nobody else will find.
	now, err := os.Lstat(path)
	if err != nil || !os.SameFile(info, now) {
		_ = file.Close()
		return nil, errAgain
	}
	return file, nil
}

func openLockFile(path string) (*os.File, fs.FileInfo, error) {
	file, info, err := openSafe(path, ReadWrite, true)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) && folderExists(path) {
		return nil, nil, errAgain // appeared, or vanished, between two looks
	}
	return file, info, err
}

func folderExists(path string) bool {
	_, err := os.Stat(filepath.Dir(path))
	return err == nil
}

func lockExclusively(file *os.File) error {
	ok, err := flock(file, true)
	if ok || err != nil {
		return err
	}
	ok, err = flock(file, false)
	if err != nil {
		return err
	}
	if ok {
		return errAgain
	}
	return ErrLocked
}

func (f *File) held(role int) (bool, error) {
	file, _, err := openSafe(lockPath(f.path, role), ReadOnly, false)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	free, err := flock(file, false)
	if err := errors.Join(err, file.Close()); err != nil || free {
		return false, err
	}
	return f.locksAreOurs()
}

// locksAreOurs: whoever holds a lock of the path holds it for the file that has
// the name now. Of a file that has lost it nothing can be seen any more.
func (f *File) locksAreOurs() (bool, error) {
	f.mu.Lock()
	named := f.named
	f.mu.Unlock()
	if !named {
		return true, nil
	}
	return f.Named()
}

// sweepLocks removes the lock files that nobody holds.
func sweepLocks(path string) {
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	prefix := filepath.Base(path) + ".lock."
	for _, n := range names {
		role, ok := cutRole(n.Name(), prefix)
		if !ok {
			continue
		}
		if file, err := tryLockFile(lockPath(path, role)); err == nil {
			_ = dropLock(file, lockPath(path, role))
			_ = file.Close()
		}
	}
}

func cutRole(name, prefix string) (int, bool) {
	if len(name) <= len(prefix) || name[:len(prefix)] != prefix {
		return 0, false
	}
	role, err := strconv.Atoi(name[len(prefix):])
	return role, err == nil && role >= 0
}

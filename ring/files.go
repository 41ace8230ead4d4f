package ring

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

// Making, opening and removing the two files of a named ring.

// errHalf: there is a .ring, but not the .slots that belong to it. Whoever
// waits for a ring to appear may as well go on waiting.
var (
	errHalf = fmt.Errorf("ring: half made or half removed: %w", fs.ErrNotExist)
	errBusy = fmt.Errorf("ring: is being made or removed by another process: %w", ErrLocked)
)

func openFiles(path string, file bool) (*namedBacking, geometry, error) {
	ringf, geo, id, err := openRingFile(path)
	if err != nil {
		return nil, geo, err
	}
	slotsf, err := openSlotsFile(path, geo, id)
	if err != nil {
		return nil, geo, errors.Join(err, ringf.Close())
	}
	b := &namedBacking{path: path, file: file, ringf: ringf, slotsf: slotsf}
	b.acquire()
	return b, geo, nil
}

func openRingFile(path string) (f *shm.File, geo geometry, id creationID, err error) {
	if f, err = shm.Open(path+".ring", shm.ReadWrite); err != nil {
		return nil, geo, id, err
	}
	head, err := readHead(f)
	if err == nil {
		geo, err = readGeometry(head)
	}
	if err == nil && f.Size() != int64(geo.broadcastSize()) {
		err = sizeError("file", geo.broadcastSize(), uint64(f.Size()))
	}
	if err != nil {
		return nil, geo, id, errors.Join(fmt.Errorf("%s.ring: %w", path, err), f.Close())
	}
	return f, geo, creationOf(head), nil
}

func openSlotsFile(path string, geo geometry, id creationID) (*shm.File, error) {
	f, err := shm.Open(path+".slots", shm.ReadWrite)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is %s.ring but no %s.slots", errHalf, path, filepath.Base(path))
	}
	if err != nil {
		return nil, err
	}
	head, err := readHead(f)
	if err == nil {
		err = checkSlots(head, geo, id)
	}
	if errors.Is(err, errOtherCreation) {
		err = fmt.Errorf("%w: %w", errHalf, err)
	}
	if err == nil && f.Size() != int64(geo.slotsSize()) {
		err = sizeError("file", geo.slotsSize(), uint64(f.Size()))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s.slots: %w", path, err), f.Close())
	}
	return f, nil
}

func readHead(f *shm.File) ([]byte, error) {
	head := make([]byte, page)
	n, err := f.ReadAt(head, 0)
	if n < page {
		if err == nil || n >= 0 && f.Size() < page {
			err = sizeError("file", page, uint64(n))
		}
		return nil, err
	}
	return head, nil
}

// makeFiles makes an empty ring; errBusy when somebody else is faster.
func makeFiles(path string, geo geometry, cfg Config) (err error) {
	perm := cfg.Perm
	if perm == 0 {
		perm = 0o600
	}
	id := newID()
	ringf, err := shm.Create(path+".ring", int64(geo.broadcastSize()), perm)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ringf.Close()) }()
	if err := fill(ringf, func(s segment) { formatBroadcast(s, geo, id, origin) }); err != nil {
		return err
	}
	slotsf, err := shm.Create(path+".slots", int64(geo.slotsSize()), perm)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, slotsf.Close()) }()
	if err := fill(slotsf, func(s segment) { formatSlots(s, geo, id) }); err != nil {
		return err
	}
	lock, err := tryMaker(ringf)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	err = ringf.Publish()
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %s.ring", errBusy, path)
	}
	if err != nil {
		return err
	}
	if err := replaceSlots(slotsf); err != nil {
		return errors.Join(err, ringf.Remove())
	}
	return nil
}

// replaceSlots names the slots of a ring whose maker's lock is held. A file
// that has the name belongs to a ring that is gone; anything else was not made
// by us and is left alone.
func replaceSlots(slotsf *shm.File) error {
	old, err := shm.Open(slotsf.Path(), shm.ReadWrite)
	if err == nil {
		err = old.Close()
	}
	if ignoreMissing(err) != nil {
		return err
	}
	return slotsf.Replace()
}

func fill(f *shm.File, format func(segment)) error {
	r, err := f.Map(shm.ReadWrite)
	if err != nil {
		return err
	}
	format(segmentOf(r.Bytes()))
	return r.Unmap()
}

// lockMaker takes the maker's lock of the .ring that the name stands for.
func lockMaker(ringf *shm.File) (*shm.Lock, error) {
	lock, err := tryMaker(ringf)
	if err != nil {
		return nil, err
	}
	if named, err := ringf.Named(); err != nil || !named {
		return nil, errors.Join(err, lock.Unlock(), errBusy)
	}
	return lock, nil
}

func tryMaker(ringf *shm.File) (*shm.Lock, error) {
	lock, err := ringf.TryLock(roleMaker)
	if errors.Is(err, shm.ErrLocked) {
		return nil, fmt.Errorf("%w: %s", errBusy, ringf.Path())
	}
	return lock, err
}

// clearHalf removes a .ring that has no .slots, if nobody is at it.
func clearHalf(path string) error {
	ringf, geo, id, err := openRingFile(path)
	if err != nil {
		return ignoreMissing(err)
	}
	defer ringf.Close()
	lock, err := lockMaker(ringf)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if slotsf, err := openSlotsFile(path, geo, id); !errors.Is(err, errHalf) {
		if err == nil {
			err = slotsf.Close()
		}
		return err // it has become whole meanwhile
	}
	return ringf.Remove()
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func remove(path string) error {
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		err := removeOnce(path)
		if !errors.Is(err, errBusy) || time.Since(start) > makerPatience {
			return err
		}
	}
}

func removeOnce(path string) (err error) {
	ringf, geo, id, err := openRingFile(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ringf.Close()) }()
	lock, err := lockMaker(ringf)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	producer, err := ringf.TryLock(roleProducer)
	if errors.Is(err, shm.ErrLocked) {
		return fmt.Errorf("%w: %s.ring", ErrProducerLive, path)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, producer.Unlock()) }()
	switch slotsf, err := openSlotsFile(path, geo, id); {
	case err == nil:
		if err := errors.Join(slotsf.Remove(), slotsf.Close()); err != nil {
			return err
		}
	case !errors.Is(err, errHalf):
		return err
	}
	return ringf.Remove()
}

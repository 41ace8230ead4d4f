package ring

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"
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
// full one is an error here and never a signal later.
func Create(name string, cfg Config) (*Ring, error) {
	path, err := namedPath(name)
	if err != nil {
		return nil, err
	}
	return create(path, cfg, false)
}

// Open opens the ring NAME in shared memory; fs.ErrNotExist when there is none.
func Open(name string) (*Ring, error) {
	path, err := namedPath(name)
	if err != nil {
		return nil, err
	}
	return openExisting(path, false)
}

// Remove takes the name away. Handles that are attached go on; their ring
// ends with the last of them. It refuses while a producer lives.
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
	if err := CheckName(name); err != nil {
		return "", err
	}
	dir, err := shm.NamedDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, name), nil
}

func checkPath(path string) error {
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

// errHalf: there is a .ring, but not the .slots that belong to it. Whoever
// waits for a ring to appear may as well go on waiting.
var (
	errHalf = fmt.Errorf("ring: half made or half removed: %w", fs.ErrNotExist)
	errBusy = errors.New("ring: is being made or removed by another process")
)

// namedBacking is a ring in two files.
type namedBacking struct {
	path    string
	file    bool // in a file of the user's, not in /dev/shm
	ringf   *shm.File
	slotsf  *shm.File
	handles atomic.Int32
}

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
	if err := fill(ringf, func(s segment) { formatBroadcast(s, geo, id, point{seq: 1}) }); err != nil {
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

// ring makes a Ring of the backing, whose hold it takes over.
func (b *namedBacking) ring(geo geometry, cfg Config) (*Ring, error) {
	r, err := open(b, geo)
	if err != nil {
		return nil, err
	}
	r.prefault, r.lock = cfg.Prefault, cfg.Lock
	return r, nil
}

func (b *namedBacking) name() string { return b.path }

func (b *namedBacking) mapping(f *shm.File, a shm.Access) (region, error) {
	if b.file {
		return f.MapFile(a)
	}
	return f.Map(a)
}

func (b *namedBacking) broadcast(a shm.Access) (region, error) { return b.mapping(b.ringf, a) }
func (b *namedBacking) slots(a shm.Access) (region, error)     { return b.mapping(b.slotsf, a) }

func (b *namedBacking) lockProducer() (func() error, error) {
	return lockRole(b.ringf, roleProducer, ErrProducerLive)
}

func (b *namedBacking) lockSlot(i int) (func() error, error) {
	return lockRole(b.slotsf, i, errSlotTaken)
}

func lockRole(f *shm.File, role int, taken error) (func() error, error) {
	lock, err := f.TryLock(role)
	if errors.Is(err, shm.ErrLocked) {
		return nil, taken
	}
	if err != nil {
		return nil, err
	}
	return lock.Unlock, nil
}

func (b *namedBacking) producerLives() (bool, error)          { return b.ringf.Held(roleProducer) }
func (b *namedBacking) slotLives(i int) (bool, error)         { return b.slotsf.Held(i) }
func (b *namedBacking) watchProducer(fn func()) (stop func()) { return b.ringf.Watch(fn) }
func (b *namedBacking) watchSlots(fn func()) (stop func())    { return b.slotsf.Watch(fn) }

func (b *namedBacking) current() error {
	named, err := b.ringf.Named()
	if err == nil && !named {
		err = fmt.Errorf("%w: %s.ring", ErrRemoved, b.path)
	}
	return err
}

func (b *namedBacking) acquire() { b.handles.Add(1) }

func (b *namedBacking) release() error {
	if b.handles.Add(-1) > 0 {
		return nil
	}
	return errors.Join(b.ringf.Close(), b.slotsf.Close())
}

package seglog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/ring"
	"github.com/carousel-ipc/carousel/shm"
)

// DefaultSegment is how large a segment gets, in bytes.
const DefaultSegment = 64 << 20

// Sync says when a producer syncs by itself. The zero value is never.
type Sync struct {
	Each     bool          // in every Append
	Interval time.Duration // in the background, so often; 0: not
}

// Config is what a log's producer may choose. Zero values are the defaults.
type Config struct {
	Segment     int64         // bytes at which another segment begins; 0: DefaultSegment
	RetainBytes int64         // the oldest segments go when there is more; 0: all stay
	RetainAge   time.Duration // segments go when their last record is older; 0: all stay
	Sync        Sync
	Perm        fs.FileMode // of the files; 0: 0o600
	Owner       string      // told to whoever is refused
}

// Writer appends to a log. One goroutine at a time; Sync may be called from any.
type Writer struct {
	d      disk
	cfg    Config
	boot   [16]byte
	unlock func() error
	notes  []string

	next  uint64
	epoch uint64
	list  []kept // all segments, the last one is being written
	f     file   // of the last one
	index file
	state file
	// since the last mark
	marked   time.Time
	unmarked int64
	reviewed time.Time

	failed  error // final: the log ends with what was appended before
	syncing sync.Mutex
	mu      sync.Mutex // of what follows, shared with the goroutine that syncs
	dirty   []segment  // may not be on the disk; the last one is being written
	names   bool       // nor may the names
	wrote   uint64     // counts writes
	synced  uint64     // wrote at the last sync
	lame    error      // of a sync in the background
	stop    chan struct{}
	stopped chan struct{}
}

// kept is a segment and what retention wants to know about it.
type kept struct {
	segment
	about
}

// Create opens the log in dir, which it makes if there is none, and begins
// another epoch. ring.ErrProducerLive names who has it.
func Create(dir string, cfg Config) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if cfg.Perm == 0 {
		cfg.Perm = 0o600
	}
	d := folder{dir: dir, perm: cfg.Perm}
	unlock, err := lockProducer(dir, cfg.Perm)
	if errors.Is(err, shm.ErrLocked) {
		return nil, fmt.Errorf("%w: %s is held by %s", ring.ErrProducerLive, dir, loadState(d).owner)
	}
	if err != nil {
		return nil, err
	}
	w, err := begin(d, cfg, shm.BootID())
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	w.unlock = unlock
	return w, nil
}

const producerRole = 0

// lockProducer takes the life lock of the log in dir.
func lockProducer(dir string, perm fs.FileMode) (unlock func() error, err error) {
	path := filepath.Join(dir, lockName)
	f, err := shm.Open(path, shm.ReadWrite)
	if errors.Is(err, fs.ErrNotExist) {
		if f, err = shm.Create(path, frame.Align, perm); err != nil {
			return nil, err
		}
		if err = f.Publish(); errors.Is(err, fs.ErrExist) {
			_ = f.Close()
			f, err = shm.Open(path, shm.ReadWrite)
		}
	}
	if err != nil {
		return nil, err
	}
	l, err := f.TryLock(producerRole)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error { return errors.Join(l.Unlock(), f.Close()) }, nil
}

// begin recovers and opens a new epoch. boot tells this boot from others.
func begin(d disk, cfg Config, boot [16]byte) (*Writer, error) {
	if cfg.Segment == 0 {
		cfg.Segment = DefaultSegment
	}
	old := loadState(d)
	trusted := old.durable
	if boot != [16]byte{} && old.boot == boot {
		trusted = ^uint64(0) // what the kernel had, it still has
	}
	t, err := recoverLog(d, trusted)
	if err != nil {
		return nil, err
	}
	w := &Writer{d: d, cfg: cfg, boot: boot, unlock: func() error { return nil }, next: t.next, epoch: t.newest + 1, names: true, wrote: 1}
	doubt := max(0, t.doubtful(old.durable))
	for i, g := range t.list {
		a, err := d.stat(g.name())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", g.name(), err)
		}
		w.list = append(w.list, kept{g, a})
		if i >= doubt {
			w.dirty = append(w.dirty, g)
		}
	}
	if err := w.open(); err != nil {
		return nil, err
	}
	if w.state, err = openState(d); err == nil {
		err = w.storeState()
	}
	// The new name has to last before the old ones go: the names are what
	// tells how far the sequence has come, and where the log begins.
	if err == nil {
		err = d.sync()
	}
	if err == nil {
		err = t.clear(d)
	}
	if err != nil {
		return nil, errors.Join(err, w.abandon())
	}
	w.names, w.notes = false, t.notes
	w.dropEmpty()
	if cfg.Sync.Interval > 0 && !cfg.Sync.Each {
		w.stop, w.stopped = make(chan struct{}), make(chan struct{})
		go w.keepSyncing()
	}
	return w, nil
}

// open begins a segment at the next record.
func (w *Writer) open() error {
	g := segment{first: w.next, epoch: w.epoch}
	f, err := w.d.create(g.name())
	if err != nil {
		return err
	}
	b := frame.Preamble{Epoch: g.epoch, First: g.first}.Append(nil)
	if _, err := f.WriteAt(b, 0); err != nil {
		return errors.Join(err, f.Close(), w.d.remove(g.name()))
	}
	if err := w.openIndex(g); err != nil {
		return errors.Join(err, f.Close(), w.d.remove(g.name()))
	}
	if w.f != nil {
		_ = w.f.Close() // a sync opens it again
	}
	w.f = f
	w.list = append(w.list, kept{g, about{size: int64(len(b)), written: wallNow()}})
	w.marked = time.Time{}
	w.mu.Lock()
	w.dirty, w.names = append(w.dirty, g), true
	w.wrote++
	w.mu.Unlock()
	return nil
}

func (w *Writer) openIndex(g segment) error {
	// One of a segment that was never on the disk may be left.
	if err := removeIfThere(w.d, g.index()); err != nil {
		return err
	}
	index, err := w.d.create(g.index())
	if err != nil {
		return err
	}
	if w.index != nil {
		_ = w.index.Close()
	}
	w.index = index
	return nil
}

// dropEmpty removes the segment before this one if it has no record; a reader
// that is in it needs nothing more from it.
func (w *Writer) dropEmpty() {
	if n := len(w.list); n > 1 && w.list[n-2].first == w.list[n-1].first {
		w.drop(n - 2)
	}
}

// Next is the sequence of the next record.
func (w *Writer) Next() uint64 { return w.next }

// Epoch is how many producers the log has had.
func (w *Writer) Epoch() uint64 { return w.epoch }

// Notes say what recovery cut off and kept, for people.
func (w *Writer) Notes() []string { return w.notes }

// Bytes is how much the log holds.
func (w *Writer) Bytes() (n int64) {
	for _, g := range w.list {
		n += g.size
	}
	return n
}

// A mark is made after so much time or so many bytes.
const (
	markEvery = 100 * time.Millisecond
	markBytes = 1 << 20
	// reviewEvery is how often retention looks.
	reviewEvery = time.Second
)

// Append puts frames behind the last record: count of them consume sequences,
// the first of which is Next. When it returns nil they survive a kill. An error
// is final: whole frames may be in the log, as after a kill.
func (w *Writer) Append(frames []byte, count uint64) error {
	if err := w.ailing(); err != nil {
		return err
	}
	last := &w.list[len(w.list)-1]
	if last.size+int64(len(frames)) > w.cfg.Segment && last.first != w.next && count > 0 {
		if err := w.open(); err != nil {
			return w.fail(err)
		}
		w.retain()
		last = &w.list[len(w.list)-1]
	}
	now := time.Now()
	if now.Sub(w.marked) >= markEvery || w.unmarked >= markBytes {
		m := mark{seq: w.next, offset: last.size, time: wallNow()}
		// A hint that cannot be written is none.
		if size, err := w.index.size(); err == nil && count > 0 {
			_, _ = w.index.WriteAt(m.append(nil), size)
		}
		w.marked, w.unmarked, last.written = now, 0, m.time
	}
	if now.Sub(w.reviewed) >= reviewEvery {
		w.reviewed = now
		w.retain()
		last = &w.list[len(w.list)-1]
	}
	if _, err := w.f.WriteAt(frames, last.size); err != nil {
		return w.fail(err)
	}
	last.size += int64(len(frames))
	w.unmarked += int64(len(frames))
	w.next += count
	w.mu.Lock()
	w.wrote++
	w.mu.Unlock()
	if w.cfg.Sync.Each {
		return w.Sync()
	}
	return nil
}

// fail makes err final.
func (w *Writer) fail(err error) error {
	if w.failed == nil {
		w.failed = fmt.Errorf("the log ends before record %d: %w", w.next, err)
	}
	return w.failed
}

// ailing is the error after which nothing may be appended.
func (w *Writer) ailing() error {
	if w.failed != nil {
		return w.failed
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lame
}

// Close syncs as configured and gives the log up.
func (w *Writer) Close() error {
	if w.stop != nil {
		close(w.stop)
		<-w.stopped
	}
	var err error
	if w.failed == nil && (w.cfg.Sync.Each || w.cfg.Sync.Interval > 0) {
		err = w.Sync()
	}
	return errors.Join(err, w.abandon(), w.unlock())
}

func (w *Writer) abandon() error {
	w.syncing.Lock() // one that is in flight ends first
	defer w.syncing.Unlock()
	var errs []error
	for _, f := range []file{w.f, w.index, w.state} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	w.f, w.index, w.state = nil, nil, nil
	return errors.Join(errs...)
}

package seglog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/carousel-ipc/carousel/frame"
)

// A memory is a disk that knows what was synced. A power cut makes of it a disk
// on which each name and each sector that was not may be as it is or as it was.
type memory struct {
	names map[string]*inode
	// past are the inodes, or nil for none, that a name had since the last sync
	// of the folder, the first of them then.
	past map[string][]*inode
	left int // calls that change something until the power goes; -1: it stays
}

type inode struct {
	now, synced []byte
}

var errPower = errors.New("the power is gone")

func newMemory() *memory {
	return &memory{names: map[string]*inode{}, past: map[string][]*inode{}, left: -1}
}

// change is called before everything that changes the disk.
func (m *memory) change() error {
	switch m.left {
	case -1:
	case 0:
		return errPower
	default:
		m.left--
	}
	return nil
}

func (m *memory) set(name string, to *inode) {
	if _, ok := m.past[name]; !ok {
		m.past[name] = []*inode{m.names[name]}
	}
	m.past[name] = append(m.past[name], to)
	if m.names[name] = to; to == nil {
		delete(m.names, name)
	}
}

func (m *memory) list() ([]string, error) { return slices.Sorted(maps.Keys(m.names)), nil }

func (m *memory) create(name string) (file, error) {
	if m.names[name] != nil {
		return nil, fs.ErrExist
	}
	if err := m.change(); err != nil {
		return nil, err
	}
	m.set(name, &inode{})
	return m.open(name, true)
}

func (m *memory) open(name string, _ bool) (file, error) {
	n := m.names[name]
	if n == nil {
		return nil, fs.ErrNotExist
	}
	return memFile{m, n}, nil
}

func (m *memory) rename(from, to string) error {
	if err := m.change(); err != nil {
		return err
	}
	m.set(to, m.names[from])
	m.set(from, nil)
	return nil
}

func (m *memory) remove(name string) error {
	if m.names[name] == nil {
		return fs.ErrNotExist
	}
	if err := m.change(); err != nil {
		return err
	}
	m.set(name, nil)
	return nil
}

func (m *memory) sync() error {
	if err := m.change(); err != nil {
		return err
	}
	clear(m.past)
	return nil
}

func (m *memory) stat(name string) (about, error) {
	n := m.names[name]
	if n == nil {
		return about{}, fs.ErrNotExist
	}
	return about{size: int64(len(n.now))}, nil
}

type memFile struct {
	m *memory
	n *inode
}

func (f memFile) ReadAt(b []byte, off int64) (int, error) {
	if off >= int64(len(f.n.now)) {
		return 0, io.EOF
	}
	n := copy(b, f.n.now[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f memFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.m.change(); err != nil {
		return 0, err
	}
	if grow := int(off) + len(b) - len(f.n.now); grow > 0 {
		f.n.now = append(f.n.now, make([]byte, grow)...)
	}
	return copy(f.n.now[off:], b), nil
}

func (f memFile) Truncate(size int64) error {
	if err := f.m.change(); err != nil {
		return err
	}
	f.n.now = slices.Clone(f.n.now[:size])
	return nil
}

func (f memFile) Sync() error {
	if err := f.m.change(); err != nil {
		return err
	}
	f.n.synced = slices.Clone(f.n.now)
	return nil
}

func (f memFile) Close() error         { return nil }
func (f memFile) size() (int64, error) { return int64(len(f.n.now)), nil }

const (
	pageBytes   = 4096
	sectorBytes = 512
)

// cut is what a power cut may leave of the disk.
func (m *memory) cut(rng *rand.Rand) *memory {
	after := newMemory()
	inodes := map[*inode]*inode{} // two names may be one file
	for _, name := range slices.Sorted(maps.Keys(m.union())) {
		n := m.names[name]
		if past, ok := m.past[name]; ok {
			n = past[rng.IntN(len(past))]
		}
		if n == nil {
			continue
		}
		if inodes[n] == nil {
			b := n.cut(rng)
			inodes[n] = &inode{now: b, synced: slices.Clone(b)}
		}
		after.names[name] = inodes[n]
	}
	return after
}

func (m *memory) union() map[string]struct{} {
	all := map[string]struct{}{}
	for n := range m.names {
		all[n] = struct{}{}
	}
	for n := range m.past {
		all[n] = struct{}{}
	}
	return all
}

func (n *inode) cut(rng *rand.Rand) []byte {
	// What of it survives, and how: all, nothing, any pages, torn sectors.
	taste := rng.IntN(4)
	size := len(n.now)
	if taste > 0 && rng.IntN(2) == 0 {
		lo, hi := min(len(n.now), len(n.synced)), max(len(n.now), len(n.synced))
		size = lo + rng.IntN(hi-lo+1)
	}
	b := make([]byte, size)
	for page := 0; page < size; page += pageBytes {
		pick := rng.IntN(3)
		for at := page; at < min(page+pageBytes, size); at += sectorBytes {
			from := n.now
			switch {
			case taste == 1, taste >= 2 && pick == 0, taste == 3 && pick == 1 && rng.IntN(2) == 0:
				from = n.synced
			}
			if at < len(from) {
				copy(b[at:min(at+sectorBytes, size)], from[at:])
			}
		}
	}
	return b
}

// lineage is what the log should hold: for each sequence the generation that
// wrote the record last, from sequence 1.
type lineage []uint32

func bornRecord(seq uint64, generation uint32) frame.Record {
	r := record(seq)
	return frame.NewRecord(seq, r.Type(), frame.CRC, binary.LittleEndian.AppendUint32(r.Payload(), generation))
}

// check reads everything and returns how much there is: records from the oldest
// kept, without a hole, each as it was written.
func (l lineage) check(d disk) (first, next uint64, err error) {
	list, _, err := segments(d)
	if err != nil || len(list) == 0 {
		return 1, 1, err
	}
	first, next = list[0].first, list[0].first
	for _, g := range list {
		if g.first != next {
			return first, next, fmt.Errorf("%s does not follow record %d", g.name(), next-1)
		}
		f, err := openSegment(d, g, false)
		if err != nil {
			return first, next, err
		}
		var wrong error
		x, err := measure(&scanner{f: f, pos: frame.PreambleSize}, next, func(r frame.Record) {
			if r.Sequence > uint64(len(l)) {
				wrong = fmt.Errorf("record %d was never written", r.Sequence)
			} else if want := bornRecord(r.Sequence, l[r.Sequence-1]); string(want.Payload()) != string(r.Payload()) || want.Type() != r.Type() {
				wrong = fmt.Errorf("record %d is not what was written", r.Sequence)
			}
		})
		size, _ := f.size()
		if err := errors.Join(err, wrong); err != nil {
			return first, next, err
		}
		if x.end != size {
			return first, next, fmt.Errorf("%s: %d bytes behind the end", g.name(), size-x.end)
		}
		next = x.next
	}
	return first, next, nil
}

// powerStates is how many states of the disk after power cuts are tried.
func powerStates(t *testing.T) int {
	if s := os.Getenv("CAROUSEL_POWERLOSS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("CAROUSEL_POWERLOSS=%q: want a number of states", s)
		}
		return n
	}
	return 2000
}

// Whatever of the unsynced names, pages and sectors a power cut leaves, what
// recovery accepts is a run of records as they were written, with all that was
// synced; and that holds again for power cuts after it.
func TestPowerCuts(t *testing.T) {
	states, seed := powerStates(t), rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	accepted, lost, cuts := 0, 0, 0
	for done := 0; done < states; {
		disk, l, synced := newMemory(), lineage{}, uint64(0)
		for generation := uint32(1); generation <= 4 && done < states; generation++ {
			disk.left = rng.IntN(120)
			oldest := play(rng, disk, generation, &l, &synced)
			// Many states of the same moment; the last of them goes on.
			var after *memory
			for range 8 {
				after = disk.cut(rng)
				w, err := begin(after, Config{}, [16]byte{1, byte(generation)})
				if err != nil {
					t.Fatalf("seed %d, state %d: recovery: %v", seed, done, err)
				}
				if err := w.abandon(); err != nil {
					t.Fatal(err)
				}
				first, next, err := l.check(after)
				if err == nil && (next <= synced || next != w.next) {
					err = fmt.Errorf("record %d was synced", synced)
				}
				if err == nil && first > oldest && first > 1 {
					err = fmt.Errorf("begins at %d, and nobody removed more than before %d", first, oldest)
				}
				if err != nil {
					for n, i := range disk.names {
						t.Log("before", n, len(i.now), len(i.synced))
					}
					for n, i := range disk.past {
						t.Log("past", n, len(i), i[0] != nil)
					}
					for n, i := range after.names {
						t.Log("after", n, len(i.now), len(i.synced))
					}
					t.Fatalf("seed %d, state %d: %v (records %d to %d, of %d; %v)", seed, done, err, first, next-1, len(l), w.notes)
				}
				accepted += int(next - first)
				lost += len(l) + 1 - int(next)
				cuts += len(w.notes)
				done++
				if next == uint64(len(l))+1 && rng.IntN(2) == 0 {
					break
				}
			}
			disk = after
			_, next, _ := l.check(disk)
			l = l[:next-1]
		}
	}
	t.Logf("%d states: %d records accepted, %d unsynced ones lost, %d times something was cut off and kept", states, accepted, lost, cuts)
}

// play is a producer's life until the power goes. It returns from where on
// retention has left the log whole.
func play(rng *rand.Rand, d *memory, generation uint32, l *lineage, synced *uint64) (oldest uint64) {
	cfg := Config{Segment: int64(2<<10 + rng.IntN(12<<10))}
	if rng.IntN(2) == 0 {
		cfg.RetainBytes = int64(8<<10 + rng.IntN(32<<10))
	}
	if rng.IntN(3) == 0 {
		cfg.Sync.Each = true
	}
	oldest = 1
	if list, _, _ := segments(d); len(list) > 0 {
		oldest = list[0].first
	}
	w, err := begin(d, cfg, [16]byte{1, byte(generation), 2})
	if err != nil {
		return oldest
	}
	defer func() {
		oldest = max(oldest, w.list[0].first)
		_ = w.abandon()
	}()
	*l = (*l)[:w.next-1]
	for {
		var b []byte
		n := 1 + rng.IntN(12)
		for i := range n {
			seq := w.next + uint64(i)
			b = frame.Append(b, bornRecord(seq, generation))
			*l = append(*l, generation)
		}
		if err := w.Append(b, uint64(n)); err != nil {
			return oldest
		}
		if cfg.Sync.Each {
			*synced = w.next - 1
		} else if rng.IntN(6) == 0 {
			if w.Sync() != nil {
				return oldest
			}
			*synced = w.next - 1
		}
		if rng.IntN(60) == 0 {
			_ = w.Append(endOf(w), 0)
			return oldest
		}
	}
}

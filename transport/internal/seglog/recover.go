package seglog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/carousel-ipc/carousel/frame"
)

// tail is where a log ends, as recovery left it.
type tail struct {
	list   []segment // in order, all good as far as was looked
	newest uint64    // largest epoch there ever was
	next   uint64    // sequence of the next record
	ended  bool      // the last segment ends with EOS
	last   extent
	gone   []segment // no part of the log any more: for clear to take away
	why    error     // the first of them is not
	notes  []string  // what was cut off and kept, for people
}

// recoverLog finds the end of the log. trusted: the segments that begin before
// this sequence are on the disk, and need no look unless they are the last two.
//
// A segment in which nothing is good is not removed yet. It may be all that
// tells how far the sequence has come, so it goes when another one does: see
// clear.
func recoverLog(d disk, trusted uint64) (tail, error) {
	list, newest, err := segments(d)
	t := tail{list: list, newest: newest, next: 1}
	if err != nil || len(list) == 0 {
		return t, err
	}
	for from := max(0, min(len(t.list)-2, t.doubtful(trusted))); ; from-- {
		if err := t.verify(d, from); err != nil {
			return t, err
		}
		// Nothing of the first one looked at was good: then the end is in the
		// one before it.
		if len(t.list) > from || from == 0 {
			break
		}
	}
	return t, nil
}

// doubtful is the index of the first segment that does not begin before
// trusted, or of the last one.
func (t *tail) doubtful(trusted uint64) int {
	i := slices.IndexFunc(t.list, func(g segment) bool { return g.first >= trusted })
	if i < 0 {
		return len(t.list) - 1
	}
	return i
}

// verify walks the segments from index from on, and cuts the log off where
// they stop to continue each other.
func (t *tail) verify(d disk, from int) error {
	t.next, t.ended, t.last = t.list[from].first, false, extent{}
	for i := from; i < len(t.list); i++ {
		g := t.list[i]
		if i > from && (g.first != t.next || g.epoch < t.list[i-1].epoch) {
			return t.cut(i, fmt.Errorf("wanted sequence %d behind %s, found %s", t.next, t.list[i-1].name(), g.name()))
		}
		x, err := t.walk(d, g)
		if errors.Is(err, errShort) || isFrameError(err) {
			return t.cut(i, err)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", g.name(), err)
		}
		t.next, t.ended, t.last = x.next, x.ended, x
	}
	return nil
}

// walk measures one segment and takes off what follows the good part.
func (t *tail) walk(d disk, g segment) (extent, error) {
	f, err := openSegment(d, g, true)
	if err != nil {
		return extent{}, err
	}
	defer f.Close()
	s := &scanner{f: f, pos: frame.PreambleSize}
	x, err := measure(s, g.first, nil)
	if err != nil {
		return x, err
	}
	size, err := f.size()
	if err != nil || size <= x.end {
		return x, err
	}
	if found, err := records(f, x.end, size, x.next); err != nil {
		return x, err
	} else if found > 0 {
		if err := keepCut(d, f, g, x.end, size); err != nil {
			return x, err
		}
		t.notes = append(t.notes, fmt.Sprintf("%s is good up to record %d (%v); %d frames behind it were not, and are kept in %s",
			g.name(), x.next-1, x.bad, found, g.base()+cutSuffix))
	}
	// What is cut off must not come back under new frames.
	if err := errors.Join(f.Truncate(x.end), f.Sync()); err != nil {
		return x, err
	}
	return x, nil
}

// records counts the frames, of sequences from least on, behind a place where
// there is none: they were written before a power cut, or what is before them
// was damaged since.
func records(f file, from, to int64, least uint64) (n int, err error) {
	var b []byte // of the file, from base on
	var base int64
	for pos := (from + frame.Align - 1) &^ (frame.Align - 1); pos+frame.HeaderSize <= to; pos += frame.Align {
		if pos+frame.HeaderSize > base+int64(len(b)) {
			if b, err = readAt(f, pos, min(windowSize, to-pos)); err != nil {
				return n, err
			}
			base = pos
		}
		_, m, err := frame.Peek(b[pos-base:], frame.MaxPayload)
		size := int64(m.Size())
		if err != nil || m.Flags()&frame.CRC == 0 || pos+size > to {
			continue
		}
		if pos+size > base+int64(len(b)) {
			if b, err = readAt(f, pos, max(size, min(windowSize, to-pos))); err != nil {
				return n, err
			}
			base = pos
		}
		if rec, _, err := frame.Decode(b[pos-base:], frame.MaxPayload); err == nil {
			pos += size - frame.Align
			if rec.Counts() && rec.Sequence >= least {
				n++
			}
		}
	}
	return n, nil
}

// readAt reads n bytes, or zeros where there are less.
func readAt(f file, off, n int64) ([]byte, error) {
	b := make([]byte, n)
	if _, err := f.ReadAt(b, off); err != nil && err != io.EOF {
		return nil, err
	}
	return b, nil
}

// keepCut copies what will be cut off.
func keepCut(d disk, f file, g segment, from, to int64) error {
	name := g.base() + cutSuffix
	if err := d.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := d.create(name)
	if err != nil {
		return err
	}
	b := make([]byte, 64<<10)
	for at := from; at < to && err == nil; {
		n, rerr := f.ReadAt(b[:min(int64(len(b)), to-at)], at)
		if n == 0 {
			if rerr != io.EOF {
				err = rerr
			}
			break
		}
		_, err = out.WriteAt(b[:n], at-from)
		at += int64(n)
	}
	return errors.Join(err, out.Sync(), out.Close())
}

// cut takes the segments from index i on out of the log.
func (t *tail) cut(i int, why error) error {
	t.gone, t.why = append(t.gone, t.list[i:]...), why
	t.list = t.list[:i:i]
	return nil
}

// clear takes away what is no part of the log, once there is a segment that
// goes on behind the part that is. What has records in it is renamed.
func (t *tail) clear(d disk) error {
	for _, g := range t.gone {
		empty, err := holdsNothing(d, g)
		if err == nil && empty {
			err = d.remove(g.name())
		} else if err == nil {
			err = d.rename(g.name(), g.base()+cutSuffix)
			t.notes = append(t.notes, fmt.Sprintf("%s is not part of the log any more (%v), and is kept as %s", g.name(), t.why, g.base()+cutSuffix))
		}
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			err = removeIfThere(d, g.index())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", g.name(), err)
		}
	}
	return nil
}

func holdsNothing(d disk, g segment) (bool, error) {
	f, err := d.open(g.name(), false)
	if err != nil {
		return false, err
	}
	defer f.Close()
	size, err := f.size()
	if err != nil {
		return false, err
	}
	n, err := records(f, 0, size, g.first)
	return n == 0, err
}

func removeIfThere(d disk, name string) error {
	if err := d.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

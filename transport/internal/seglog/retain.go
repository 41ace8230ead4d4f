package seglog

import (
	"errors"
	"io/fs"
	"slices"
)

// retain removes the oldest segments that are more than what is to be kept.
// What cannot be removed now (somebody has it open, on some systems) is tried
// again with the next.
func (w *Writer) retain() {
	for len(w.list) > 1 && w.spent() {
		if !w.drop(0) {
			return
		}
	}
}

// spent tells whether the oldest segment may go.
func (w *Writer) spent() bool {
	if w.cfg.RetainBytes > 0 && w.Bytes() > w.cfg.RetainBytes {
		return true
	}
	return w.cfg.RetainAge > 0 && wallNow()-w.list[0].written > int64(w.cfg.RetainAge)
}

// drop removes a segment. By then the names of those behind it are on the disk,
// and its own is gone from there before that of the next is: neither a hole nor
// another beginning is ever left.
func (w *Writer) drop(i int) bool {
	g := w.list[i].segment
	if err := w.syncNames(); err != nil {
		return false
	}
	if err := w.d.remove(g.name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	w.list = slices.Delete(w.list, i, i+1)
	_ = removeIfThere(w.d, g.index())
	w.mu.Lock()
	defer w.mu.Unlock()
	if j := slices.Index(w.dirty, g); j >= 0 && j < len(w.dirty)-1 {
		w.dirty = slices.Delete(w.dirty, j, j+1)
	}
	return w.d.sync() == nil
}

func (w *Writer) syncNames() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.names {
		return nil
	}
	err := w.d.sync()
	w.names = err != nil
	return err
}

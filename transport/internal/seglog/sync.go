package seglog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// Sync returns when the disk has everything that was appended before the call.
// After an error nobody can tell what the disk has, so nothing more is
// appended.
func (w *Writer) Sync() error {
	w.syncing.Lock()
	defer w.syncing.Unlock()
	if w.state == nil {
		return os.ErrClosed
	}
	w.mu.Lock()
	if w.lame != nil || w.wrote == w.synced {
		defer w.mu.Unlock()
		return w.lame
	}
	dirty, names, wrote := slices.Clone(w.dirty), w.names, w.wrote
	w.mu.Unlock()

	// In this order: what is on the disk is at any time a run from the oldest
	// record on, as far as the names are.
	for _, g := range dirty {
		if err := w.syncSegment(g); err != nil {
			return w.cripple(fmt.Errorf("sync of %s: %w", g.name(), err))
		}
	}
	if names {
		if err := w.d.sync(); err != nil {
			return w.cripple(fmt.Errorf("sync of the folder: %w", err))
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	// All that we saw but the last, which may have grown meanwhile.
	last := dirty[len(dirty)-1]
	w.dirty = slices.DeleteFunc(w.dirty, func(g segment) bool { return g != last && slices.Contains(dirty, g) })
	w.names = w.names && w.dirty[len(w.dirty)-1] != last
	w.synced = wrote
	_ = w.storeState() // an old one costs the next producer time, and nothing else
	return nil
}

// syncSegment syncs a segment by a descriptor of its own. One that retention
// has removed needs none.
func (w *Writer) syncSegment(g segment) error {
	f, err := w.d.open(g.name(), true)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (w *Writer) cripple(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lame = err
	return err
}

// storeState notes from where on segments may not be on the disk.
func (w *Writer) storeState() error {
	s := state{boot: w.boot, durable: w.dirty[0].first, owner: w.cfg.Owner}
	_, err := w.state.WriteAt(s.bytes(), 0)
	return err
}

func (w *Writer) keepSyncing() {
	defer close(w.stopped)
	t := time.NewTicker(w.cfg.Sync.Interval)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			_ = w.Sync() // the next Append tells
		case <-w.stop:
			return
		}
	}
}

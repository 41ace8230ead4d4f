package seglog

import (
	"path/filepath"

	"github.com/carousel-ipc/carousel/shm"
)

// Info is a look at a log by anybody.
type Info struct {
	Alive    bool // has a producer now
	Ended    bool // the last one closed it
	Epoch    uint64
	Owner    string // who the last producer is or was, for people
	Oldest   uint64 // sequence of the oldest record
	Next     uint64 // sequence of the next one
	Segments int
	Bytes    int64
}

// Inspect looks at the log in dir.
func Inspect(dir string) (Info, error) {
	lock, err := shm.Open(filepath.Join(dir, lockName), shm.ReadOnly)
	if err != nil {
		return Info{}, err
	}
	defer lock.Close()
	d := folder{dir: dir}
	in := Info{Owner: loadState(d).owner}
	if in.Alive, err = lock.Held(producerRole); err != nil {
		return in, err
	}
	list, newest, err := segments(d)
	if err != nil || len(list) == 0 {
		return in, err
	}
	last := list[len(list)-1]
	x, err := (&Reader{d: d}).lastExtent(last)
	if err != nil {
		return in, err
	}
	in.Epoch, in.Oldest, in.Segments = newest, list[0].first, len(list)
	in.Next, in.Ended = x.next, x.ended
	for _, g := range list {
		if a, err := d.stat(g.name()); err == nil { // or just removed
			in.Bytes += a.size
		}
	}
	return in, nil
}

package main

import (
	"os"
	"path/filepath"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// capacityOf is that of every ring here: 1 MiB, which fits into the caches
// nearest to a processor (a ring that never fills would flatter itself), and
// more only where a few batches need it.
func capacityOf(j side.Job) int {
	capacity := 1 << 20
	for capacity < 4*j.Batch*j.Size {
		capacity *= 2
	}
	return capacity
}

func limitOf(name, mode, about string) contestant {
	return contestant{
		Contestant: side.Contestant{Name: name}, about: about,
		kind: limit, program: "limits", mode: mode, lay: sharedFile(func(j side.Job) int64 { return 16<<10 + int64(j.Size) }),
	}
}

var (
	oneWord  = limitOf("limit: a word that both write", "one word", "C, two processes, one cache line")
	oneLine  = limitOf("limit: one line each way", "one line", "C, two processes, a cache line for each direction")
	twoLines = limitOf("limit: two lines each way", "two lines", "C, two processes; two lines for each direction are the least that 64 bytes and a commit word take")
	futexes  = limitOf("limit: futexes", "futex", "C, two processes, each asleep in FUTEX_WAIT while the other works")
	copying  = limitOf("limit: memory copy", "copy", "C, memcpy of one block to another, both cached")
	dirty    = limitOf("limit: reading dirty lines", "dirty", "C, one process writes a block, the other reads it and is timed")
)

var ringInC = contestant{
	Contestant: side.Contestant{Name: "C ring"},
	about:      "one producer, one consumer, commit word in the record, release stores, slips back; no recovery, no joining, no sleeping",
	kind:       inC, program: "ring", lay: sharedFile(func(j side.Job) int64 { return int64(768 + 2*capacityOf(j)) }),
}

var broadcastInC = contestant{
	Contestant: side.Contestant{Name: "C broadcast ring"},
	about:      "the same for many consumers, who spin where there are processors, yield, and sleep on a futex; the sleeper pays for the fence",
	kind:       inC, program: "broadcast", lay: sharedFile(func(j side.Job) int64 { return int64(7*128 + 64*128 + capacityOf(j)) }),
}

// sharedFile lays a file of zeros in which programs in C meet.
func sharedFile(size func(side.Job) int64) func(*link, side.Job) error {
	return func(l *link, j side.Job) error {
		f, err := os.OpenFile(filepath.Join("/dev/shm", j.Link), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		l.undo = append(l.undo, func() error { return os.Remove(f.Name()) })
		defer f.Close()
		return f.Truncate(size(j))
	}
}

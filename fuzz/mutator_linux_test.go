package fuzz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/internal/mutate"
	"github.com/carousel-ipc/carousel/ring"
)

// FuzzMutator (F3): while somebody opens, reads and takes over a ring, another
// process writes the input's words to their places and what was there back, at
// full speed: in the memory that it is attached to, or for some inputs in the
// files of a ring that is opened by name. A record that is delivered is one
// that was published, whole; whatever else there is has the name of an error.
func FuzzMutator(tf *testing.F) {
	f := mutate.Of(tf)
	const inFiles = 240
	for at := range 16 {
		f.Add(place(4096+64*at, ^uint64(0)), byte(at))
		f.Add(append(place(3*4096+128*at, 1<<at), place(3*4096+128*at+8, uint64(at))...), byte(at))
	}
	f.Add(place(4096, 1<<62), byte(inFiles))
	f.Add(place(3*4096, 1<<62), byte(inFiles+1))
	dir := memoryDir(f)
	path := filepath.Join(dir, "ring")
	r, err := ring.CreateFile(path, ring.Config{Capacity: ring.MinCapacity, Slots: 2, Checksum: true})
	must(f, err)
	p, err := r.NewProducer()
	must(f, err)
	const records = 60
	for seq := range uint64(records) {
		_, err := p.Write(payload(seq+1, int(seq)))
		must(f, err)
	}
	must(f, p.Close())
	must(f, r.Close())
	var clean []byte
	var parts [2][]byte // of the files
	for i, suffix := range []string{".ring", ".slots"} {
		parts[i], err = mapped(path+suffix, 0)
		must(f, err)
		clean = append(clean, parts[i]...)
	}
	image, err := mapped(filepath.Join(dir, "image"), len(clean))
	must(f, err)
	plan, err := mapped(filepath.Join(dir, "plan"), planSize)
	must(f, err)
	copy(image, clean) // the child takes what it finds for what ought to be there
	stop, err := startMutator(dir)
	must(f, err)
	f.Cleanup(func() {
		must(tf, stop())
		for _, m := range append(parts[:], image, plan) {
			must(tf, syscall.Munmap(m))
		}
	})
	bystander(f, path)
	defer futex.Restrict(false, true)()
	f.Fuzz(func(t *testing.T, edits []byte, how byte) {
		defer quickly(t)()
		draw(plan, nil, false) // it may have one more word to write
		copy(image, clean)
		n := copy(parts[0], clean)
		copy(parts[1], clean[n:])
		draw(plan, edits, how >= inFiles)
		defer draw(plan, nil, false)
		var r *ring.Ring
		var err error
		if how >= inFiles {
			r, err = ring.OpenFile(path)
		} else {
			r, err = ring.Attach(image)
		}
		if err != nil {
			named(t, err, ring.ErrFormat, os.ErrNotExist)
			return
		}
		defer func() { must(t, r.Close()) }()
		_, err = r.Stats()
		must(t, err)
		use(t, r, how, func(rec ring.Record) {
			if n := int(rec.Sequence) - 1; rec.Sequence > records || !bytes.Equal(rec.Payload(), payload(rec.Sequence, n)) {
				t.Fatalf("delivered: record %d of %d bytes, which nobody has published", rec.Sequence, len(rec.Payload()))
			}
		})
	})
}

// The plan is how many edits there are, whether they are for the files, and the
// edits. Who reads it while it is drawn writes something else: that is as good.
const (
	planSize  = 4096
	planEdits = 16
)

func draw(plan, edits []byte, files bool) {
	n := min(len(edits)/10, (planSize-planEdits)/10)
	copy(plan[planEdits:], edits[:n*10])
	plan[8] = 0
	if files {
		plan[8] = 1
	}
	binary.LittleEndian.PutUint64(plan, uint64(n))
}

// mapped maps a file, which is made if it is to have a size.
func mapped(path string, size int) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > 0 {
		if err := f.Truncate(int64(size)); err != nil {
			return nil, err
		}
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
}

// mutatorVariable has a process of this program be the mutator of a folder.
const mutatorVariable = "CAROUSEL_FUZZ_MUTATOR"

func init() {
	if dir, ok := os.LookupEnv(mutatorVariable); ok {
		fmt.Fprintln(os.Stderr, beMutator(dir))
		os.Exit(1)
	}
}

// startMutator starts one; it ends with this process at the latest.
func startMutator(dir string) (stop func() error, err error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), mutatorVariable+"="+dir)
	cmd.Stderr = os.Stderr
	life, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	_, err = io.ReadFull(out, make([]byte, 1)) // it is there
	stop = func() error { return errors.Join(life.Close(), cmd.Wait()) }
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	return stop, nil
}

// beMutator does what the plan says until standard input ends.
func beMutator(dir string) error {
	var memory [2][][]byte // the image; the files
	for _, name := range []string{"image", "ring.ring", "ring.slots"} {
		m, err := mapped(filepath.Join(dir, name), 0)
		if err != nil {
			return err
		}
		which := min(len(memory[0]), 1)
		memory[which] = append(memory[which], m)
	}
	clean := bytes.Clone(memory[0][0])
	plan, err := mapped(filepath.Join(dir, "plan"), 0)
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	if _, err := os.Stdout.Write([]byte{1}); err != nil {
		return err
	}
	for turn := 0; ; turn++ {
		n := int(binary.LittleEndian.Uint64(plan)) % planSize
		edits := plan[planEdits:min(planEdits+n*10, planSize)]
		for ; len(edits) >= 10; edits = edits[10:] {
			at := int(binary.LittleEndian.Uint16(edits)) * 8 % len(clean)
			m, off := memory[plan[8]&1], at
			if off >= len(m[0]) {
				off -= len(m[0])
				m = m[1:]
			}
			binary.LittleEndian.PutUint64(m[0][off:], binary.LittleEndian.Uint64(edits[2:]))
			for range turn % 64 {
				_ = plan[8]
			}
			binary.LittleEndian.PutUint64(m[0][off:], binary.LittleEndian.Uint64(clean[at:]))
		}
	}
}

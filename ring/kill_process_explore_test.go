//go:build explore

package ring

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// K2 with processes: the same scenes on a named ring, and a victim that kills
// itself with SIGKILL instead of its k-th store.

func init() { roles["victim"] = victimRole }

// notes are what the victim has promised, in a file: they outlive it.
type notes struct{ *os.File }

func (f notes) write(acked, flight uint64) error {
	b := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, acked), flight)
	_, err := f.WriteAt(b, 0)
	return err
}

func (f notes) read() (acked, flight uint64, err error) {
	var b [16]byte
	_, err = f.ReadAt(b[:], 0)
	return binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:]), err
}

func suicide() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func victimRole() (err error) {
	defer caught(&err)
	number := func(name string) int {
		n, err := strconv.Atoi(os.Getenv(name))
		check(err)
		return n
	}
	r, err := Open(os.Getenv("RING"))
	check(err)
	f, err := os.OpenFile(os.Getenv("NOTES"), os.O_RDWR, 0)
	check(err)
	w := &play{world: &world{}, r: r, ends: map[uint64]bool{}, hasty: true}
	reload := func() {
		w.acked, w.flight, err = notes{f}.read()
		check(err)
	}
	reload()
	w.jot = func() { check(notes{f}.write(w.acked, w.flight)) }
	kernel = restless{}
	in := bufio.NewReader(os.Stdin)
	count := func() int { return 0 }
	scenes()[number("SCENE")].act(&victim{w: w, n: number("SIZE"),
		begin: func() { count = dying(number("STORE"), suicide) },
		meanwhile: func() {
			fmt.Println("meanwhile")
			_, err := in.ReadString('\n')
			check(err)
			reload()
		},
	})
	step = nil
	fmt.Println("stores", count())
	suicide()
	return nil
}

// murder plays scene number i with a victim of its own process. stores is
// what the victim has counted if it came to its end before the k-th.
func murder(t *testing.T, i, n int, checksum bool, k int) (stores int, err error) {
	defer caught(&err)
	s, name := scenes()[i], testName(t)
	_ = Remove(name)
	r, err := Create(name, Config{Capacity: MinCapacity, MaxRecord: newGeometry(checksum).maxPayload, Slots: 3, Checksum: checksum})
	check(err)
	defer func() { err = errors.Join(err, r.Close(), Remove(name)) }()
	w := &play{world: &world{}, r: r, ends: map[uint64]bool{}}
	p := w.prepare(s, n)
	if p == nil {
		check(w.heir.unmap())
		check(w.heir.backing.release())
	}
	path := filepath.Join(t.TempDir(), "notes")
	f, err := os.Create(path)
	check(err)
	defer f.Close()
	check(notes{f}.write(w.acked, w.flight))

	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"=victim", "RING="+name, "NOTES="+path, fmt.Sprint("SCENE=", i), fmt.Sprint("SIZE=", n), fmt.Sprint("STORE=", k))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	check(err)
	out, err := cmd.StdoutPipe()
	check(err)
	check(cmd.Start())
	stores = -1
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n, ok := strings.CutPrefix(lines.Text(), "stores "); ok {
			stores, err = strconv.Atoi(n)
			check(err)
			continue
		}
		s.meanwhile(w, p, n)
		check(notes{f}.write(w.acked, w.flight))
		_, err = io.WriteString(in, "\n")
		check(err)
	}
	_ = cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		return stores, fmt.Errorf("the victim ended with %v", cmd.ProcessState)
	}
	w.acked, w.flight, err = notes{f}.read()
	check(err)
	for seq := range w.flight + 1 {
		w.ends[seq+1] = true // it may have closed anywhere
	}
	w.aftermath(p)
	return stores, nil
}

func newGeometry(checksum bool) geometry {
	g := geometry{capacity: MinCapacity, checksum: checksum}
	g.maxPayload = g.largest(MinCapacity / 2)
	return g
}

// CAROUSEL_K2=all kills at every store, until the victim comes to its end; else
// at two of each scene.
func TestProcessesKilledAtAStore(t *testing.T) {
	all := os.Getenv("CAROUSEL_K2") == "all"
	rng := rand.New(rand.NewPCG(seed(t), 2))
	start, deaths, total := time.Now(), 0, 0
	for i, s := range scenes() {
		sizes := slices.Clone(killSizes)
		if !all {
			sizes = sizes[rng.IntN(len(sizes)):][:1]
		}
		for _, n := range sizes {
			checksum := rng.IntN(2) == 0
			try := func(k int) int {
				stores, err := murder(t, i, n, checksum, k)
				if err != nil {
					t.Fatalf("%s, %d bytes, checksum %v, store %d: %v", s.name, n, checksum, k, err)
				}
				return stores
			}
			// How many stores there are depends by one on the length of a pid.
			if !all {
				stores := try(1 << 30)
				for _, k := range []int{1 + rng.IntN(stores-1), stores - 1} {
					if try(k) >= 0 {
						t.Fatalf("%s, %d bytes: came to its end before store %d of %d", s.name, n, k, stores)
					}
					deaths++
				}
				total += stores
				continue
			}
			for k := 1; ; k++ {
				if stores := try(k); stores >= 0 {
					total += stores
					break
				}
				deaths++
			}
		}
	}
	t.Logf("%d scenes: %d processes killed, at %d %% of %d stores, %v", len(scenes()), deaths, deaths*100/total, total, time.Since(start).Round(time.Millisecond))
}

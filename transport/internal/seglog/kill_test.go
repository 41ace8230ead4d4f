package seglog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/internal/leak"
	"github.com/carousel-ipc/carousel/ring"
)

// childEnv makes this test binary a producer that writes until it is killed, in
// the folder that it names.
const childEnv = "CAROUSEL_SEGLOG_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		fmt.Fprintln(os.Stderr, writeForEver(dir))
		os.Exit(1)
	}
	os.Exit(leak.Check(m))
}

// writeForEver tells on standard output how far it has come after each Append.
func writeForEver(dir string) error {
	w, err := Create(dir, Config{Segment: 256 << 10})
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(w.Next(), 2))
	for {
		var b []byte
		n := uint64(1 + rng.IntN(40))
		for i := range n {
			b = frame.Append(b, record(w.Next()+i))
		}
		if err := w.Append(b, n); err != nil {
			return err
		}
		if rng.IntN(50) == 0 {
			if err := w.Sync(); err != nil {
				return err
			}
		}
		if _, err := fmt.Println(w.Next() - 1); err != nil {
			return err
		}
	}
}

func kills(t *testing.T) int {
	if s := os.Getenv("CAROUSEL_KILLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("CAROUSEL_KILLS=%q: want a number", s)
		}
		return n
	}
	return 15
}

// Producers are killed at random moments, with a reader attached throughout:
// everything that Append had returned for is there, whole and in order, and the
// reader hears of each death.
func TestKilledProducersLeaveAPrefix(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var follower *Reader
	var told []time.Duration
	seen := uint64(0)
	n := kills(t)
	for i := range n {
		child := exec.Command(self)
		child.Env = append(os.Environ(), childEnv+"="+dir)
		out, err := child.StdoutPipe()
		if err == nil {
			err = child.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		acked := make(chan uint64, 1)
		go func() {
			last := uint64(0)
			for lines := bufio.NewScanner(out); lines.Scan(); {
				last, _ = strconv.ParseUint(lines.Text(), 10, 64)
			}
			acked <- last
		}()
		end := time.Now().Add(10 * time.Second)
		for follower == nil {
			if follower, err = Open(dir, oldest); err != nil && time.Now().After(end) {
				t.Fatal(err)
			}
		}
		if i > 0 {
			if err := follower.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		killed := make(chan time.Time, 1)
		time.AfterFunc(time.Duration(rand.IntN(40000))*time.Microsecond, func() {
			_ = child.Process.Kill()
			killed <- time.Now()
		})
		for {
			rec, err := next(t, follower)
			if errors.Is(err, ring.ErrProducerDied) {
				break
			}
			if err == nil {
				seen++
				err = isRecord(rec, seen)
			}
			if err != nil {
				t.Fatalf("kill %d: %v", i, err)
			}
			if seen%64 == 0 {
				follower.Release()
			}
		}
		told = append(told, time.Since(<-killed))
		_, _ = io.Copy(io.Discard, out)
		_ = child.Wait()
		if last := <-acked; seen < last {
			t.Fatalf("kill %d: %d records were acknowledged, %d read", i, last, seen)
		}
	}
	closed(t, follower)
	w := create(t, dir, Config{})
	defer closed(t, w)
	if w.Next() != seen+1 {
		t.Errorf("recovery found %d records, the reader %d", w.Next()-1, seen)
	}
	expect(t, reader(t, dir, oldest), 1, seen)
	worst := time.Duration(0)
	for _, d := range told {
		worst = max(worst, d)
	}
	t.Logf("%d kills, %d records, death told after at most %v", n, seen, worst)
}

package mutate

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// FuzzSubject is a target that fails in the way that CAROUSEL_SUBJECT says, for
// one input in some thousands, of all kinds of values.
func FuzzSubject(tf *testing.F) {
	f := Of(tf)
	f.Add([]byte("seed"), "text", true, byte(7), uint16(300), int64(-5), uint64(1)<<40)
	f.Add([]byte(nil), "", false, byte(0x80), uint16(0), int64(0), uint64(0))
	how := os.Getenv("CAROUSEL_SUBJECT")
	interval = 20 * time.Millisecond
	f.Fuzz(func(t *testing.T, b []byte, s string, yes bool, n byte, short uint16, signed int64, long uint64) {
		if how == "" || long == 0 || !yes || len(b) < 10 || len(s) < 5 || signed >= 0 {
			return
		}
		switch how {
		case "fatal":
			t.Fatal("fails")
		case "error":
			t.Error("fails")
		case "panic":
			panic("fails")
		case "hang":
			select {}
		}
	})
}

// A target that fails somewhere leaves an input that fails again, alone and
// without this package; and the same seed finds the same.
func TestInputsThatFailAreKept(t *testing.T) {
	run := func(dir, pattern string, env ...string) (string, bool) {
		cmd := exec.Command(os.Args[0], "-test.run="+pattern, "-test.timeout=20s")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
	for _, how := range []string{"fatal", "error", "panic", "hang"} {
		t.Run(how, func(t *testing.T) {
			var kept [2]string
			for i := range kept {
				dir := t.TempDir()
				out, ok := run(dir, "^FuzzSubject$", "CAROUSEL_SUBJECT="+how, "CAROUSEL_FUZZ=30000", "CAROUSEL_SEED=7")
				files, _ := filepath.Glob(dir + "/testdata/fuzz/FuzzSubject/*")
				if ok || len(files) == 0 || !strings.Contains(out, "CAROUSEL_SEED=7; again: go test -run=FuzzSubject/"+filepath.Base(files[0])) {
					t.Fatalf("passed: %v, %d inputs kept:\n%s", ok, len(files), out)
				}
				kept[i] = filepath.Base(files[0])
				if how == "hang" {
					return // again would take longer
				}
				if out, ok := run(dir, "^FuzzSubject$/^"+kept[i]+"$", "CAROUSEL_SUBJECT="+how, "CAROUSEL_FUZZ="); ok || !strings.Contains(out, "fails") {
					t.Fatalf("the input that is kept passes:\n%s", out)
				}
			}
			if kept[0] != kept[1] {
				t.Errorf("one seed finds %s, and then %s", kept[0], kept[1])
			}
		})
	}
	out, ok := run(t.TempDir(), "^FuzzSubject$", "CAROUSEL_FUZZ=30000", "CAROUSEL_SUBJECT=")
	if !ok {
		t.Errorf("nothing fails, and yet:\n%s", out)
	}
	if out, ok := run(t.TempDir(), "^FuzzSubject$", "CAROUSEL_FUZZ=many"); ok || !strings.Contains(out, "want a number of inputs") {
		t.Errorf("passed: %v:\n%s", ok, out)
	}
}

// Inputs differ from what they are made of, and do not grow without bound.
func TestInputsAreNewAndBounded(t *testing.T) {
	m := mutator{rand.New(rand.NewPCG(1, 2))}
	values := func(args ...any) (all []reflect.Value) {
		for _, a := range args {
			all = append(all, reflect.ValueOf(a))
		}
		return all
	}
	entry, other := values(bytes.Repeat([]byte{1}, 100), uint64(9)), values(bytes.Repeat([]byte{2}, 50), uint64(70))
	seen := map[string]bool{}
	in := make([]reflect.Value, 2)
	const n = 20000
	for range n {
		m.input(in, entry, other)
		if got := in[0].Len(); got > 100+50+most {
			t.Fatalf("%d bytes of 100 and 50", got)
		}
		seen[string(encode(in))] = true
	}
	if len(seen) < n*3/4 {
		t.Errorf("%d inputs of %d differ", len(seen), n)
	}
	if !bytes.Equal(entry[0].Bytes(), bytes.Repeat([]byte{1}, 100)) || !bytes.Equal(other[0].Bytes(), bytes.Repeat([]byte{2}, 50)) {
		t.Error("the corpus was changed")
	}
}

package cli

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/carousel-ipc/carousel/frame"
)

// runResult is what a command did.
type runResult struct {
	code           int
	stdout, stderr string
}

// pass sends input through a ring of 4 KiB, whose largest record has
// smallMax bytes, from Producer to Consumer, in this process.
func pass(t *testing.T, input io.Reader, producerFlags, consumerFlags []string) (p, c runResult) {
	t.Helper()
	url := "shm://" + ringName(t)
	done := make(chan runResult)
	go func() {
		var out, err bytes.Buffer
		code := Consumer(append(consumerFlags, "-json", url), &out, &err)
		done <- runResult{code, out.String(), err.String()}
	}()
	var out, err bytes.Buffer
	code := Producer(append(producerFlags, "-json", "-capacity", "4KiB", "-consumers", "1", url), input, &out, &err)
	return runResult{code, out.String(), err.String()}, <-done
}

const smallMax = 1024 - frame.HeaderSize

func len32s(records ...string) string {
	var b []byte
	for _, r := range records {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(r)))
		b = append(b, r...)
	}
	return string(b)
}

func frames(records ...string) string {
	b := frame.Preamble{Epoch: 1, First: 1}.Append(nil)
	for i, r := range records {
		b = frame.Append(b, frame.NewRecord(uint64(i+1), uint16(i), 0, []byte(r)))
	}
	eos := frame.NewRecord(uint64(len(records)+1), 0, frame.EOS, binary.LittleEndian.AppendUint64(nil, 1))
	return string(frame.Append(b, eos))
}

func TestSplitRoundTrips(t *testing.T) {
	exact := strings.Repeat("m", smallMax)
	random := make([]byte, 50_000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range random {
		random[i] = byte(r.IntN(40)) // zeros and newlines among them
	}
	noise := string(random)
	for _, c := range []struct {
		name, how, input string
		output           string // "=": as the input
		published        int
	}{
		{"nothing", "lines", "", "=", 0},
		{"one line", "lines", "hello\n", "=", 1},
		{"a last line without an end", "lines", "a\nb", "a\nb\n", 2},
		{"empty lines", "lines", "\n\n\n", "=", 3},
		{"an empty line at the end", "lines", "a\n\n", "=", 2},
		{"carriage returns stay", "lines", "a\r\nb\r\n", "=", 2},
		{"zeros in lines", "lines", "a\x00b\n", "=", 1},
		{"the longest line", "lines", exact + "\n", "=", 1},
		{"many of the longest", "lines", strings.Repeat(exact+"\n", 50), "=", 50},
		{"the longest line without an end", "lines", "a\n" + exact, "a\n" + exact + "\n", 2},
		{"many lines", "lines", strings.Repeat("some words\n", 5000), "=", 5000},

		{"nothing", "nul", "", "=", 0},
		{"names", "nul", "a\nb\x00c\x00", "=", 2},
		{"empty ones", "nul", "\x00\x00", "=", 2},
		{"without an end", "nul", "x", "x\x00", 1},
		{"noise", "nul", noise + "\x00", "=", strings.Count(noise, "\x00") + 1},

		{"nothing", "len32", "", "=", 0},
		{"empty records", "len32", len32s("", "", ""), "=", 3},
		{"records", "len32", len32s("a", "", "bc\n", "\x00"), "=", 4},
		{"the longest", "len32", len32s(exact, "", exact), "=", 3},

		{"nothing", "all", "", "=", 0},
		{"one byte", "all", "x", "=", 1},
		{"one piece exactly", "all", exact, "=", 1},
		{"one byte more", "all", exact + "x", "=", 2},
		{"two pieces exactly", "all", exact + exact, "=", 2},
		{"noise", "all", noise, "=", (len(noise) + smallMax - 1) / smallMax},

		{"nothing", "frames", "", frames(), 0},
		{"no records", "frames", frames(), "=", 0},
		{"records", "frames", frames("a", "", "b\n"), "=", 3},
		{"the longest", "frames", frames(exact, exact), "=", 2},
	} {
		for _, reader := range []struct {
			name string
			wrap func(io.Reader) io.Reader
		}{
			{"at once", func(r io.Reader) io.Reader { return r }},
			{"byte by byte", iotest.OneByteReader},
			{"with the end in the last read", iotest.DataErrReader},
		} {
			if reader.name == "byte by byte" && len(c.input) > 20_000 {
				continue
			}
			t.Run(fmt.Sprintf("%s/%s/%s", c.how, c.name, reader.name), func(t *testing.T) {
				t.Parallel()
				p, got := pass(t, reader.wrap(strings.NewReader(c.input)), []string{"-split", c.how}, []string{"-split", c.how})
				want := c.output
				if want == "=" {
					want = c.input
				}
				if p.code != exitOK || got.code != exitOK {
					t.Errorf("exit %d and %d\n%s%s", p.code, got.code, p.stderr, got.stderr)
				}
				if got.stdout != want {
					t.Errorf("wrote %.80q (%d bytes), want %.80q (%d bytes)", got.stdout, len(got.stdout), want, len(want))
				}
				var ps producerSummary
				var cs consumerSummary
				mustJSON(t, p.stderr, &ps)
				mustJSON(t, got.stderr, &cs)
				if ps.Published != uint64(c.published) || cs.Received != ps.Published || ps.Bytes != cs.Bytes {
					t.Errorf("published %d (%d bytes), received %d (%d bytes), want %d", ps.Published, ps.Bytes, cs.Received, cs.Bytes, c.published)
				}
			})
		}
	}
}

func mustJSON(t *testing.T, text string, v any) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), v); err != nil {
		t.Fatalf("no summary in %q: %v", text, err)
	}
}

func TestOneSplitInAnotherOut(t *testing.T) {
	exact := strings.Repeat("m", smallMax)
	for _, c := range []struct{ in, out, input, want string }{
		{"lines", "len32", "a\n\nbc\n", len32s("a", "", "bc")},
		{"len32", "lines", len32s("a", "", "bc"), "a\n\nbc\n"},
		{"nul", "all", "a\x00b\x00", "ab"},
		{"lines", "frames", "a\nb\n", ""},
		// A chain is one record, whatever the output.
		{"all", "lines", exact + exact + "x", exact + exact + "x\n"},
		{"all", "nul", exact + "x", exact + "x\x00"},
		{"all", "len32", exact + exact + exact, len32s(exact + exact + exact)},
	} {
		t.Run(c.in+" to "+c.out, func(t *testing.T) {
			t.Parallel()
			p, got := pass(t, strings.NewReader(c.input), []string{"-split", c.in}, []string{"-split", c.out})
			if p.code != exitOK || got.code != exitOK {
				t.Errorf("exit %d and %d\n%s%s", p.code, got.code, p.stderr, got.stderr)
			}
			if c.out == "frames" {
				r := frame.NewReader(strings.NewReader(got.stdout), smallMax)
				var n int
				for rec, err := r.Next(); err != io.EOF; rec, err = r.Next() {
					if err != nil {
						t.Fatal(err)
					}
					if n++; rec.Sequence != uint64(n) || (rec.Flags()&frame.EOS != 0) != (n == 3) {
						t.Errorf("frame %d is %+v", n, rec)
					}
				}
				if n != 3 {
					t.Errorf("%d frames, want 3", n)
				}
				return
			}
			if got.stdout != c.want {
				t.Errorf("wrote %.60q, want %.60q", got.stdout, c.want)
			}
		})
	}
}

// Frames of a chain, with a type, go through two rings as they are.
func TestFramesKeepTypesAndChains(t *testing.T) {
	long := strings.Repeat("0123456789", 500)
	_, first := pass(t, strings.NewReader(long), []string{"-split", "all", "-type", "7", "-crc"}, []string{"-split", "frames"})
	_, second := pass(t, strings.NewReader(first.stdout), []string{"-split", "frames", "-crc"}, []string{"-split", "frames"})
	if first.stdout == "" || first.stdout != second.stdout {
		t.Errorf("%d bytes became %d others", len(first.stdout), len(second.stdout))
	}
	_, third := pass(t, strings.NewReader(second.stdout), []string{"-split", "frames"}, []string{"-split", "all", "-type", "7"})
	if third.stdout != long {
		t.Errorf("%d bytes became %d others", len(long), len(third.stdout))
	}
	_, other := pass(t, strings.NewReader(second.stdout), []string{"-split", "frames"}, []string{"-split", "all", "-type", "8"})
	if other.stdout != "" {
		t.Errorf("type 8 has %d bytes of type 7", len(other.stdout))
	}
}

func TestInputThatIsNotRight(t *testing.T) {
	over := strings.Repeat("m", smallMax+1)
	limit := fmt.Sprintf("at most %d", smallMax)
	length := fmt.Sprintf("%d bytes", smallMax+1)
	for _, c := range []struct {
		name, how, input, output string
		says                     []string
	}{
		{"a line one byte too long", "lines", "a\nb\n" + over + "\nc\n", "a\nb\n", []string{"record too long", "record 3 has " + length, limit}},
		{"without an end", "lines", "a\n" + over, "a\n", []string{"record 2 has " + length, limit}},
		{"much too long", "lines", strings.Repeat(over, 700) + "\n", "", []string{"record 1 has 706300 bytes", limit}},
		{"nul", "nul", over + "\x00", "", []string{"record 1 has " + length, limit}},
		{"a length too long", "len32", len32s("a", over), len32s("a"), []string{"record 2 has " + length, limit}},
		{"a length that lies", "len32", len32s("a") + "\xff\xff\xff\xff", len32s("a"), []string{"record 2 has 4294967295 bytes", limit}},
		{"half a length", "len32", len32s("a") + "\x01\x00", len32s("a"), []string{"input cut off", "record 2: want 4 bytes of length, found 2"}},
		{"half a record", "len32", len32s("a") + "\x09\x00\x00\x00abc", len32s("a"), []string{"input cut off", "record 2: want 9 bytes, found 3"}},
		{"no frames", "frames", "these are no frames", "", []string{"not a stream of frames"}},
		{"half a preamble", "frames", frames()[:20], "", []string{"wanted 32 bytes, found 20"}},
		{"half a frame", "frames", frames("abc")[:50], "", []string{"record 1"}},
		{"a frame too long", "frames", frames("a", over), "", []string{"record too long", "record 2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := c.how
			if out == "frames" {
				out = "all"
			}
			p, got := pass(t, strings.NewReader(c.input), []string{"-split", c.how}, []string{"-split", out})
			var s producerSummary
			mustJSON(t, p.stderr, &s)
			for _, want := range c.says {
				if !strings.Contains(s.Error, want) {
					t.Errorf("error %q does not say %q", s.Error, want)
				}
			}
			if p.code != exitError {
				t.Errorf("exit %d, want 1", p.code)
			}
			// Whatever was complete before has arrived, and the end too.
			if c.how == "frames" && strings.Contains(c.name, "too long") {
				c.output = "a"
			}
			if got.code != exitOK || got.stdout != c.output {
				t.Errorf("the consumer left with %d and wrote %.60q, want 0 and %q\n%s", got.code, got.stdout, c.output, got.stderr)
			}
		})
	}
}

func TestInputThatFails(t *testing.T) {
	in := io.MultiReader(strings.NewReader("a\nb\nhalf"), iotest.ErrReader(fmt.Errorf("the disk is on fire")))
	p, got := pass(t, in, nil, nil)
	if p.code != exitError || !strings.Contains(p.stderr, "reading standard input: the disk is on fire") {
		t.Errorf("exit %d, %s", p.code, p.stderr)
	}
	if got.code != exitOK || got.stdout != "a\nb\n" {
		t.Errorf("exit %d, wrote %q", got.code, got.stdout)
	}
}

// A record is not held back because its batch is not full when input pauses.
func TestPauseInInput(t *testing.T) {
	for _, flags := range [][]string{nil, {"-batch", "1000"}, {"-split", "len32"}} {
		url := "shm://" + ringName(t)
		in, feed := io.Pipe()
		out, sink := io.Pipe()
		done := make(chan int, 2)
		go func() {
			done <- Producer(append(flags, "-consumers", "1", url), in, io.Discard, io.Discard)
		}()
		go func() {
			done <- Consumer([]string{url}, sink, io.Discard)
			sink.Close()
		}()
		buf := make([]byte, 3)
		for i := range 20 {
			text := fmt.Sprintf("%02d\n", i)
			if len(flags) > 0 && flags[0] == "-split" {
				// The head of the next record, too, must not hold this one back.
				io.WriteString(feed, len32s(text[:2])+"\x02\x00\x00\x00xx"[:i%6])
			} else {
				io.WriteString(feed, text)
			}
			if _, err := io.ReadFull(out, buf); err != nil || string(buf) != text {
				t.Fatalf("%v: got %q, %v; want %q", flags, buf, err, text)
			}
			if len(flags) > 0 && flags[0] == "-split" {
				rest := "\x02\x00\x00\x00xx"[i%6:]
				if i%6 == 0 {
					rest = ""
				}
				io.WriteString(feed, rest)
				if i%6 > 0 {
					if _, err := io.ReadFull(out, buf); err != nil || string(buf) != "xx\n" {
						t.Fatalf("%v: got %q, %v", flags, buf, err)
					}
				}
			}
		}
		feed.Close()
		if a, b := <-done, <-done; a != 0 || b != 0 {
			t.Errorf("%v: exit %d and %d", flags, a, b)
		}
	}
}

func TestConsumerLeavesAfterN(t *testing.T) {
	long := strings.Repeat("x", 3000)
	for _, c := range []struct {
		name, n   string
		in, out   []string
		input     string
		output    string
		published uint64
	}{
		{"two lines", "2", nil, nil, "a\nb\nc\nd\n", "a\nb\n", 4},
		{"more than there are", "9", nil, nil, "a\nb\n", "a\nb\n", 2},
		{"a chain is one record", "1", []string{"-split", "all"}, nil, long, long + "\n", 3},
	} {
		p, got := pass(t, strings.NewReader(c.input), c.in, append(c.out, "-n", c.n))
		if p.code != exitOK || got.code != exitOK || got.stdout != c.output {
			t.Errorf("%s: exit %d and %d, wrote %.40q, want %.40q", c.name, p.code, got.code, got.stdout, c.output)
		}
	}
}

func TestGeneratedRecordsAreVerified(t *testing.T) {
	for _, size := range []string{"24", "25", "64", "1000"} {
		p, got := pass(t, noInput{}, []string{"-gen", "20000", "-size", size}, []string{"-verify", "-latency"})
		var s consumerSummary
		mustJSON(t, got.stderr, &s)
		if p.code != exitOK || got.code != exitOK || s.Received != 20000 || s.Torn != 0 || s.Latency.Max <= 0 || s.Latency.P50 > s.Latency.Max {
			t.Errorf("size %s: exit %d and %d, %+v", size, p.code, got.code, s)
		}
	}
	_, got := pass(t, strings.NewReader("no\ngenerator\n"), nil, []string{"-verify"})
	var s consumerSummary
	mustJSON(t, got.stderr, &s)
	if got.code != exitLoss || s.Torn != 2 || s.Received != 2 || got.stdout != "" {
		t.Errorf("exit %d, %+v", got.code, s)
	}
	p, _ := pass(t, noInput{}, []string{"-gen", "5", "-size", "2000"}, []string{"-verify"})
	if p.code != exitError || !strings.Contains(p.stderr, "-size 2000, the ring takes at most 1008") {
		t.Errorf("exit %d, %s", p.code, p.stderr)
	}
}

// The generator keeps to its rate, roughly.
func TestRate(t *testing.T) {
	p, _ := pass(t, noInput{}, []string{"-gen", "500", "-rate", "2000"}, []string{"-verify"})
	var s producerSummary
	mustJSON(t, p.stderr, &s)
	if s.Published != 500 || s.Seconds < 0.24 {
		t.Errorf("500 records at 2000 a second took %v s", s.Seconds)
	}
}

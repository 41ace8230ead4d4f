//go:build unix

package cli

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

// streamURLs are those of media that are streams of bytes, one of each.
func streamURLs(t *testing.T) map[string]string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli-") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	urls := map[string]string{
		"pipe": "pipe:",
		"fifo": "fifo://" + filepath.Join(dir, "fifo"),
		"unix": "unix://" + filepath.Join(dir, "stream.sock"),
		"tcp":  "tcp://" + freeAddress(t),
	}
	if shm.CanSeal {
		urls["unixpacket"] = "unixpacket://" + filepath.Join(dir, "packets.sock")
	}
	return urls
}

// couple starts a producer and a consumer of url, over a pipe between them if
// that is the medium.
func couple(t *testing.T, url string, in io.Reader, out io.Writer, producerFlags, consumerFlags []string) (p, c *child) {
	t.Helper()
	var from, to *os.File
	if url == "pipe:" {
		var err error
		if from, to, err = os.Pipe(); err != nil {
			t.Fatal(err)
		}
		defer from.Close()
		defer to.Close()
	}
	var stdin io.Reader
	var stdout io.Writer
	if url == "pipe:" {
		stdin, stdout = from, to
	}
	c = start(t, stdin, out, "consumer", append(consumerFlags, "-json", url)...)
	p = start(t, in, stdout, "producer", append(producerFlags, "-json", "-consumers", "1", url)...)
	return p, c
}

func TestLinesThroughOneConsumerMedia(t *testing.T) {
	var lines bytes.Buffer
	r := rand.New(rand.NewPCG(7, 9))
	for lines.Len() < 3<<20 {
		lines.Write(bytes.Repeat([]byte{'a' + byte(r.IntN(26))}, r.IntN(300)*r.IntN(5)))
		lines.WriteByte('\n')
	}
	want := sha256.Sum256(lines.Bytes())
	urls := streamURLs(t)
	for _, medium := range []string{"pipe", "fifo"} {
		for _, wait := range []string{"adaptive", "block", "yield", "spin"} {
			t.Run(medium+" "+wait, func(t *testing.T) {
				var out bytes.Buffer
				p, c := couple(t, urls[medium], bytes.NewReader(lines.Bytes()), &out,
					[]string{"-capacity", "256KiB", "-crc"}, []string{"-wait", wait})
				if p.exit() != exitOK || c.exit() != exitOK {
					t.Fatalf("exit %d and %d\n%s%s", p.exit(), c.exit(), p.stderr.String(), c.stderr.String())
				}
				if got := sha256.Sum256(out.Bytes()); got != want {
					t.Errorf("another checksum")
				}
				if ps, cs := p.produced(), c.consumed(); cs.Received != ps.Published || cs.Medium != medium || cs.Epochs != 1 || cs.Lost > 0 {
					t.Errorf("%+v\n%+v", ps, cs)
				}
			})
		}
	}
}

// soon runs a scene until one of a few runs takes no longer than 50 ms, which
// the machine may be too busy for.
func soon(t *testing.T, scene func(t *testing.T) time.Duration) {
	t.Helper()
	const limit, tries = 50 * time.Millisecond, 5
	var took []time.Duration
	for range tries {
		d := scene(t)
		if took = append(took, d); d <= limit || t.Failed() {
			return
		}
	}
	t.Errorf("want it within %v, took %v", limit, took)
}

// A consumer hears of its producer's death at once, when it has written all
// that came, and nothing that did not come whole.
func TestStreamProducerIsKilled(t *testing.T) {
	for medium, url := range streamURLs(t) {
		t.Run(medium, func(t *testing.T) {
			soon(t, func(t *testing.T) time.Duration {
				in, feed := io.Pipe()
				defer feed.Close()
				out := &lockedBuffer{}
				p, c := couple(t, url, in, out, nil, nil)
				io.WriteString(feed, "one\ntwo\nhalf a li")
				eventually(t, "both lines arrive", func() bool { return out.String() == "one\ntwo\n" })
				since := time.Now()
				p.Process.Kill()
				code, took := c.exit(), time.Since(since)
				if code != exitDied || out.String() != "one\ntwo\n" || !strings.Contains(c.consumed().Error, "producer died") {
					t.Errorf("exit %d, wrote %q\n%s", code, out.String(), c.stderr.String())
				}
				return took
			})
			// In full flight it is cut anywhere; what is written are whole lines.
			out := &lockedBuffer{}
			p, c := couple(t, url, endless{}, out, nil, nil)
			eventually(t, "lines flow", func() bool { return len(out.String()) > 100_000 })
			p.Process.Kill()
			if code := c.exit(); code != exitDied || strings.ReplaceAll(out.String(), endlessLine, "") != "" {
				t.Errorf("exit %d, %d bytes\n%s", code, len(out.String()), c.stderr.String())
			}
		})
	}
}

const endlessLine = "0123456789 one line as good as another 9876543210\n"

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	n := copy(b, strings.Repeat(endlessLine, max(1, len(b)/len(endlessLine))))
	return n, nil
}

// A producer whose one consumer is killed hears of it, also while it waits for
// input; a producer that serves many goes on without it.
func TestStreamConsumerIsKilled(t *testing.T) {
	for medium, url := range streamURLs(t) {
		t.Run(medium, func(t *testing.T) {
			soon(t, func(t *testing.T) time.Duration {
				in, feed := io.Pipe()
				defer feed.Close()
				out := &lockedBuffer{}
				p, c := couple(t, url, in, out, nil, nil)
				io.WriteString(feed, "one\n")
				eventually(t, "a line arrives", func() bool { return out.String() == "one\n" })
				since := time.Now()
				c.Process.Kill()
				if medium != "pipe" && medium != "fifo" {
					eventually(t, "its place is free", func() bool {
						st, err := inspect(url)
						return err == nil && len(st.Consumers) == 0
					})
					took := time.Since(since)
					go func() {
						io.WriteString(feed, "two\n")
						feed.Close()
					}()
					if code := p.exit(); code != exitOK || p.produced().Published != 2 {
						t.Errorf("exit %d\n%s", code, p.stderr.String())
					}
					return took
				}
				eventually(t, "the producer says so", func() bool { return strings.Contains(p.stderr.String(), "the consumer has gone") })
				took := time.Since(since)
				feed.Close()
				if code := p.exit(); code != exitError {
					t.Errorf("exit %d\n%s", code, p.stderr.String())
				}
				return took
			})
		})
	}
}

// A producer that is in the middle of writing to a consumer that is killed.
func TestStreamConsumerIsKilledInFullFlight(t *testing.T) {
	for medium, url := range streamURLs(t) {
		t.Run(medium, func(t *testing.T) {
			out := &lockedBuffer{}
			p, c := couple(t, url, endless{}, out, nil, nil)
			eventually(t, "lines flow", func() bool { return len(out.String()) > 100_000 })
			c.Process.Kill()
			if medium == "pipe" || medium == "fifo" {
				if code := p.exit(); code != exitError || !strings.Contains(p.produced().Error, "the consumer has gone") {
					t.Errorf("exit %d\n%s", code, p.stderr.String())
				}
				return
			}
			before, err := inspect(url)
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "the producer goes on", func() bool {
				st, err := inspect(url)
				return err == nil && st.Producer.Published > before.Producer.Published+100_000 && len(st.Consumers) == 0
			})
			p.Process.Signal(os.Interrupt)
			if code := p.exit(); code != exitOK {
				t.Errorf("exit %d\n%s", code, p.stderr.String())
			}
		})
	}
}

// What was recorded from any medium replays into any other.
func TestRecordingsReplay(t *testing.T) {
	var input bytes.Buffer
	for i := range 2000 {
		fmt.Fprintln(&input, i, strings.Repeat("x", i%500))
	}
	var first []byte
	for medium, url := range streamURLs(t) {
		var recording, lines bytes.Buffer
		p, c := couple(t, url, bytes.NewReader(input.Bytes()), &recording, []string{"-type", "7"}, []string{"-split", "frames"})
		if p.exit() != exitOK || c.exit() != exitOK {
			t.Fatalf("%s: exit %d and %d\n%s%s", medium, p.exit(), c.exit(), p.stderr.String(), c.stderr.String())
		}
		if first == nil {
			first = recording.Bytes()
		}
		if !bytes.Equal(recording.Bytes(), first) {
			t.Errorf("%s: another recording", medium)
		}
		p, c = couple(t, url, bytes.NewReader(first), &lines, []string{"-split", "frames"}, []string{"-type", "7"})
		if p.exit() != exitOK || c.exit() != exitOK || lines.String() != input.String() {
			t.Errorf("%s: replay: exit %d and %d\n%s%s", medium, p.exit(), c.exit(), p.stderr.String(), c.stderr.String())
		}
	}
}

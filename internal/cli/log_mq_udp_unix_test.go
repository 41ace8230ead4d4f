//go:build unix

package cli

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/transport"
)

func logURL(t *testing.T) string { return "log://" + filepath.Join(t.TempDir(), "log") }

// queueURL is that of a queue no other test has.
func queueURL(t *testing.T) string {
	t.Helper()
	url := "mq://" + ringName(t)
	p, err := transport.Create(url, transport.ProducerConfig{})
	if err != nil && runtime.GOOS != "linux" {
		t.Skip("SKIP: no message queues on ", runtime.GOOS, ": ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // what a killed producer left is taken over and emptied
		p, err := transport.Create(url, transport.ProducerConfig{})
		if err != nil {
			t.Error(err)
			return
		}
		c, err := transport.Open(t.Context(), url, transport.ConsumerConfig{From: transport.Oldest})
		if err != nil {
			t.Error(err)
			return
		}
		for err == nil {
			_, err = c.TryNext()
		}
		_ = p.Close()
		_ = c.Close()
	})
	return url
}

func datagramURL(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return "udp://" + c.LocalAddr().String()
}

// someLines are n bytes of lines shorter than most.
func someLines(n, most int) []byte {
	var b bytes.Buffer
	r := rand.New(rand.NewPCG(11, 12))
	for b.Len() < n {
		b.Write(bytes.Repeat([]byte{'a' + byte(r.IntN(26))}, r.IntN(most)))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func TestLinesThroughALog(t *testing.T) {
	url, input := logURL(t), someLines(6<<20, 400)
	want := sha256.Sum256(input)
	var outs []*bytes.Buffer
	var consumers []*child
	begin := func() {
		out := &bytes.Buffer{}
		outs = append(outs, out)
		consumers = append(consumers, start(t, nil, out, "consumer", "-json", "-from", "oldest", url))
	}
	begin()
	begin()
	p := start(t, bytes.NewReader(input), nil, "producer", "-json", "-consumers", "3", "-sync", "interval=10ms", url)
	begin()
	if p.exit() != exitOK || !strings.Contains(p.stderr.String(), "cannot count consumers") {
		t.Fatalf("exit %d\n%s", p.exit(), p.stderr.String())
	}
	begin() // after the end
	for i, c := range consumers {
		if c.exit() != exitOK || sha256.Sum256(outs[i].Bytes()) != want {
			t.Errorf("consumer %d: exit %d, %d bytes\n%s", i, c.exit(), outs[i].Len(), c.stderr.String())
		}
	}
	// The next producer goes on; a consumer that has nothing to say about it
	// begins at the oldest record.
	p = start(t, strings.NewReader("more\n"), nil, "producer", url)
	p.exit()
	var all, last bytes.Buffer
	whole := start(t, nil, &all, "consumer", "-json", url)
	if p.exit() != exitOK || whole.exit() != exitOK || all.String() != string(input)+"more\n" {
		t.Errorf("exit %d and %d, %d bytes", p.exit(), whole.exit(), all.Len())
	}
	n := whole.consumed()
	c := start(t, nil, &last, "consumer", "-json", "-from", fmt.Sprint("seq=", n.Received), url)
	if c.exit() != exitOK || last.String() != "more\n" || n.Epochs != 2 || n.Lost > 0 {
		t.Errorf("exit %d, %q; %+v", c.exit(), last.String(), n)
	}
	since := start(t, nil, io.Discard, "consumer", "-json", "-from", "time=2006-01-02T15:04:05Z", url)
	if since.exit() != exitOK || since.consumed().Received != n.Received {
		t.Errorf("from a time: exit %d\n%s", since.exit(), since.stderr.String())
	}
}

// A consumer that retention overtakes is told how much it missed, and that is
// not what it asked for.
func TestLogRetention(t *testing.T) {
	url := logURL(t)
	p := start(t, nil, nil, "producer", "-json", "-gen", "2500000", "-batch", "100", "-retain", "70MiB", "-retain", "48h", url)
	if p.exit() != exitOK {
		t.Fatal(p.stderr.String())
	}
	c := start(t, nil, nil, "consumer", "-json", "-verify", "-from", "seq=5", url)
	code, s := c.exit(), c.consumed()
	if code != exitLoss || s.Received+s.Lost != 2_500_000-4 || s.FirstLost != 5 || s.Torn > 0 || s.Lost == 0 {
		t.Errorf("exit %d, %+v", code, s)
	}
}

// One damaged record is one torn record; the others are written.
func TestDamagedLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	p := start(t, nil, nil, "producer", "-gen", "1000", "log://"+dir)
	if p.exit() != exitOK {
		t.Fatal(p.stderr.String())
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	b[32+400*96+30] ^= 1
	if err := os.WriteFile(files[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, nil, nil, "consumer", "-json", "-verify", "log://"+dir)
	if code, s := c.exit(), c.consumed(); code != exitLoss || s.Received != 999 || s.Torn != 1 || s.Lost > 0 {
		t.Errorf("exit %d, %+v", code, s)
	}
}

func TestLinesThroughAQueue(t *testing.T) {
	url, input := queueURL(t), someLines(3<<20, 8000)
	var out bytes.Buffer
	c := start(t, nil, &out, "consumer", "-json", url)
	p := start(t, bytes.NewReader(input), nil, "producer", "-json", "-consumers", "1", "-type", "32767", url)
	if p.exit() != exitOK || c.exit() != exitOK || !bytes.Equal(out.Bytes(), input) {
		t.Errorf("exit %d and %d, %d bytes\n%s%s", p.exit(), c.exit(), out.Len(), p.stderr.String(), c.stderr.String())
	}
}

func TestConsumersOfAQueueCompete(t *testing.T) {
	url := queueURL(t)
	var consumers []*child
	for range 3 {
		consumers = append(consumers, start(t, nil, nil, "consumer", "-json", "-verify", url))
	}
	p := start(t, nil, nil, "producer", "-json", "-gen", "60000", "-rate", "100000", url)
	if p.exit() != exitOK {
		t.Fatal(p.stderr.String())
	}
	total := uint64(0)
	for i, c := range consumers {
		code, s := c.exit(), c.consumed()
		if code != exitOK || s.Lost+s.OutOfOrder+s.Duplicates+s.Torn > 0 {
			t.Errorf("consumer %d: exit %d, %+v", i, code, s)
		}
		total += s.Received
	}
	if total != 60_000 {
		t.Errorf("%d records in all", total)
	}
}

func TestAQueueThatIsNotDrainedIsLeft(t *testing.T) {
	url := queueURL(t)
	p := start(t, strings.NewReader("a\nb\nc\n"), nil, "producer", "-json", "-drain", "50ms", url)
	if p.exit() != exitError || !strings.Contains(p.produced().Error, "1 messages are left") {
		t.Fatalf("exit %d\n%s", p.exit(), p.stderr.String())
	}
	for i, want := range []string{"a\nb\n", "c\n", ""} { // what one leaves the next gets; the end stays
		var out bytes.Buffer
		c := start(t, nil, &out, "consumer", "-n", "2", "-from", "oldest", url)
		if c.exit() != exitOK || out.String() != want {
			t.Errorf("consumer %d: exit %d, %q\n%s", i, c.exit(), out.String(), c.stderr.String())
		}
	}
}

// What does not come is counted: with the records that did it makes up all.
func TestDatagramsAtARate(t *testing.T) {
	for _, flags := range [][]string{{"-rate", "20000"}, {"-rate", "20000", "-crc", "-size", "1400"}, {"-size", "60000"}} {
		url := datagramURL(t)
		c := start(t, nil, nil, "consumer", "-json", "-verify", "-policy", "lossy", "-from", "seq=1", url)
		eventually(t, "somebody listens", func() bool {
			l, err := net.ListenPacket("udp", strings.TrimPrefix(url, "udp://"))
			if err == nil {
				l.Close()
			}
			return err != nil
		})
		p := start(t, nil, nil, "producer", append(flags, "-json", "-gen", "8000", "-consumers", "1", url)...)
		if p.exit() != exitOK {
			t.Fatal(p.stderr.String())
		}
		code, s := c.exit(), c.consumed()
		if code != exitOK || s.Received+s.Lost != 8000 || s.Torn+s.OutOfOrder+s.Duplicates > 0 {
			t.Errorf("%v: exit %d, %+v", flags, code, s)
		}
		t.Logf("%v: %d received, %d lost", flags, s.Received, s.Lost)
	}
}

// Lines keep to a rate too. Over datagrams they are all there, or the gaps are
// exact: what came are lines of the input, in order.
func TestLinesAtARate(t *testing.T) {
	const lines, rate = 3000, 20_000
	var in bytes.Buffer
	for i := range lines {
		fmt.Fprintf(&in, "line %d\n", i)
	}
	want := strings.Split(in.String(), "\n")[:lines]
	url, out := datagramURL(t), &lockedBuffer{}
	c := start(t, nil, out, "consumer", "-json", "-policy", "lossy", "-from", "seq=1", url)
	eventually(t, "somebody listens", func() bool {
		l, err := net.ListenPacket("udp", strings.TrimPrefix(url, "udp://"))
		if err == nil {
			l.Close()
		}
		return err != nil
	})
	begin := time.Now()
	p := start(t, &in, nil, "producer", "-rate", strconv.Itoa(rate), url)
	if p.exit() != exitOK {
		t.Fatal(p.stderr.String())
	}
	if took, least := time.Since(begin), lines*time.Second/rate; took < least {
		t.Errorf("took %v, want at least %v", took, least)
	}
	code, s := c.exit(), c.consumed()
	if code != exitOK || s.Received+s.Lost != lines {
		t.Errorf("exit %d, %+v", code, s)
	}
	got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if uint64(len(got)) != s.Received {
		t.Errorf("%d lines, received %d", len(got), s.Received)
	}
	for _, line := range want {
		if len(got) > 0 && got[0] == line {
			got = got[1:]
		}
	}
	if len(got) > 0 {
		t.Errorf("%q was not in the input, or not in its place", got[0])
	}
}

// promptly runs a scene until one of a few runs takes no longer than 50 ms,
// which the machine may be too busy for.
func promptly(t *testing.T, scene func() time.Duration) {
	t.Helper()
	var took []time.Duration
	for range 5 {
		if took = append(took, scene()); t.Failed() || took[len(took)-1] <= 50*time.Millisecond {
			return
		}
	}
	t.Errorf("want it within 50 ms, took %v", took)
}

// A consumer hears at once that its producer was killed, and has written every
// line that was committed, and no half one.
func TestProducersOfLogAndQueueAreKilled(t *testing.T) {
	for medium, url := range map[string]func(*testing.T) string{"log": logURL, "mq": queueURL} {
		t.Run(medium, func(t *testing.T) {
			promptly(t, func() time.Duration {
				in, feed := io.Pipe()
				defer feed.Close()
				out, url := &lockedBuffer{}, url(t)
				c := start(t, nil, out, "consumer", "-json", url)
				p := start(t, in, nil, "producer", url)
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
			out, url := &lockedBuffer{}, url(t)
			c := start(t, nil, out, "consumer", "-linger", "15s", "-json", "-verify", url)
			const kills = 5
			for i := range kills {
				p := start(t, nil, nil, "producer", "-gen", "1000000000", "-rate", "50000", url)
				eventually(t, "it lives", func() bool {
					st, err := inspect(url)
					return err == nil && st.Producer.Alive && st.Epoch >= uint64(i+1)
				})
				time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
				p.Process.Kill()
				<-p.done
			}
			last := start(t, nil, nil, "producer", "-gen", "10", url)
			if last.exit() != exitOK || c.exit() != exitOK {
				t.Errorf("exit %d and %d\n%s%s", last.exit(), c.exit(), last.stderr.String(), c.stderr.String())
			}
			if s := c.consumed(); s.Lost+s.Torn+s.Duplicates+s.OutOfOrder > 0 || s.Epochs != kills+1 && medium == "log" {
				t.Errorf("%+v", s)
			}
		})
	}
}

// Nobody can tell that who sends datagrams has died, until another one sends.
func TestSenderOfDatagramsIsKilled(t *testing.T) {
	url := datagramURL(t)
	c := start(t, nil, nil, "consumer", "-json", "-verify", "-linger", "10s", url)
	time.Sleep(50 * time.Millisecond)
	p := start(t, nil, nil, "producer", "-gen", "1000000000", "-rate", "20000", url)
	time.Sleep(100 * time.Millisecond)
	p.Process.Kill()
	<-p.done
	p = start(t, nil, nil, "producer", "-gen", "10", url)
	if p.exit() != exitOK || c.exit() != exitOK {
		t.Errorf("exit %d and %d\n%s", p.exit(), c.exit(), c.stderr.String())
	}
	if s := c.consumed(); s.Epochs != 2 || s.Received < 10 || s.Torn+s.Duplicates+s.OutOfOrder > 0 {
		t.Errorf("%+v", s)
	}
}

// A consumer that is killed is nothing to the producer of a log or of
// datagrams; that of a queue goes on when another one comes.
func TestConsumersOfLogQueueAndDatagramsAreKilled(t *testing.T) {
	for medium, url := range map[string]func(*testing.T) string{"log": logURL, "mq": queueURL, "udp": datagramURL} {
		t.Run(medium, func(t *testing.T) {
			out, url := &lockedBuffer{}, url(t)
			c := start(t, nil, out, "consumer", url)
			p := start(t, nil, nil, "producer", "-json", "-gen", "40000", "-rate", "100000", url)
			eventually(t, "records flow", func() bool { return len(out.String()) > 100_000 })
			c.Process.Kill()
			<-c.done
			if medium == "mq" {
				rest := start(t, nil, nil, "consumer", "-json", url)
				if rest.exit() != exitOK {
					t.Error(rest.stderr.String())
				}
			}
			if p.exit() != exitOK || p.produced().Published != 40_000 {
				t.Errorf("exit %d\n%s", p.exit(), p.stderr.String())
			}
		})
	}
}

// Recordings replay from any of these media into any other.
func TestRecordingsOfLogQueueAndDatagrams(t *testing.T) {
	input := someLines(20_000, 90)
	var recording bytes.Buffer
	url := logURL(t)
	p := start(t, bytes.NewReader(input), nil, "producer", "-type", "7", url)
	if c := start(t, nil, &recording, "consumer", "-split", "frames", url); p.exit() != exitOK || c.exit() != exitOK {
		t.Fatal(p.stderr.String(), c.stderr.String())
	}
	var out bytes.Buffer
	url = queueURL(t)
	c := start(t, nil, &out, "consumer", url)
	p = start(t, bytes.NewReader(recording.Bytes()), nil, "producer", "-split", "frames", url)
	if p.exit() != exitOK || c.exit() != exitOK || !bytes.Equal(out.Bytes(), input) {
		t.Errorf("exit %d and %d, %d bytes\n%s%s", p.exit(), c.exit(), out.Len(), p.stderr.String(), c.stderr.String())
	}
}

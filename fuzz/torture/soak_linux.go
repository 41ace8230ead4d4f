package main

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/carousel-ipc/carousel/ring"
)

// soakRole reads and keeps a hash of everything that has come. Told "hash" it
// goes on; when the stream ends it says what it has.
func soakRole(args []string) error {
	policy, err := ring.ParsePolicy(args[1])
	if err != nil {
		return err
	}
	most, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return err
	}
	pause, err := time.ParseDuration(args[3])
	if err != nil {
		return err
	}
	r, err := ring.Open(args[0])
	if err != nil {
		return err
	}
	c, err := r.NewConsumer(ring.ConsumerConfig{Policy: policy})
	if err != nil {
		return err
	}
	next := c.Sequence()
	fmt.Println("joined", next)
	var is checker
	var buf []byte
	var hash uint32
	var received, lost uint64
	start := resident()
	for received < most {
		rec, err := c.Read(background, buf)
		over, overrun := errors.AsType[*ring.OverrunError](err)
		if err == io.EOF {
			break
		}
		switch {
		case overrun && policy == ring.Lossy && over.From == next:
			lost += over.Lost
			next = over.To + 1
			continue
		case err != nil:
			return err
		case rec.Sequence != next:
			return fmt.Errorf("record %d, want %d", rec.Sequence, next)
		}
		if err := is.check(rec); err != nil {
			return err
		}
		buf = rec.Payload()
		hash = crc32.Update(hash, castagnoli, buf)
		received++
		next++
		if received == 10_000 {
			start = resident()
		}
		if pause > 0 && received%1000 == 0 {
			time.Sleep(pause)
		}
	}
	fmt.Println("done", received, lost, next, hash, resident()-start)
	return errors.Join(c.Close(), r.Close())
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// resident is how many bytes of memory this process has for itself and cannot
// give back.
func resident() int64 {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(text, []byte("RssAnon:"))
	var kib int64
	_, _ = fmt.Sscan(string(after), &kib)
	return kib << 10
}

// L1: a trial is a second.
func soak(t *tally) (err error) {
	name := prefix() + "l1"
	before := holdings()
	r, err := ring.Create(name, ring.Config{Capacity: 1 << 20, Checksum: true})
	if err != nil {
		return err
	}
	p, err := r.NewProducer()
	if err != nil {
		return err
	}
	start := func(policy string, most uint64, pause time.Duration) (*child, error) {
		c, err := startChild("soak", name, policy, strconv.FormatUint(most, 10), pause.String())
		if err == nil {
			_, err = c.hear() // it has joined
		}
		return c, err
	}
	fast, err := start("reliable", ^uint64(0), 0)
	if err != nil {
		return err
	}
	slow, err := start("lossy", ^uint64(0), time.Millisecond)
	if err != nil {
		return err
	}
	var hash uint32
	ended := make(chan error, 1)
	until := time.Now().Add(time.Duration(t.want) * time.Second)
	go func() {
		for n := 0; ; n++ {
			if n%256 == 0 && time.Now().After(until) {
				ended <- p.Close()
				return
			}
			for range 1 + n%8 {
				seq := p.Sequence()
				b, err := p.Reserve(background, sizeOf(seq))
				if err != nil {
					ended <- err
					return
				}
				fill(b, seq)
				hash = crc32.Update(hash, castagnoli, b)
			}
			if err := p.Commit(); err != nil {
				ended <- err
				return
			}
		}
	}()
	restarts, warm := 0, int64(0)
	live := holdings()
	for began := time.Now(); time.Now().Before(until.Add(-200 * time.Millisecond)); restarts++ {
		most := uint64(1 + t.rng.IntN(200_000))
		kill := t.rng.IntN(3) == 0
		c, err := start("reliable", most, 0)
		if err != nil {
			return err
		}
		if kill {
			time.Sleep(time.Duration(t.rng.IntN(100)) * time.Millisecond)
			c.kill()
		} else if code := c.reap(); code != 0 {
			t.fail("a consumer that comes and goes: exit %d: %s", code, c.stderr.String())
		}
		if warm == 0 && time.Since(began) > time.Duration(t.want)*time.Second/5 {
			warm = resident()
			live = holdings()
		}
	}
	grown := resident() - warm
	if now := holdings(); now.descriptors > live.descriptors+1 || now.mappings > live.mappings || now.goroutines > live.goroutines+2 {
		t.fail("%+v after a fifth of the time, %+v at the end", live, now)
	}
	if grown > 2<<20 {
		t.fail("%d bytes more in memory at the end than after a fifth of the time", grown)
	}
	if err := <-ended; err != nil {
		return err
	}
	published := p.Sequence() - 1
	for _, c := range []*child{fast, slow} {
		line, err := c.hear()
		if err != nil {
			return err
		}
		var received, lost, next uint64
		var sum uint32
		var grown int64
		if _, err := fmt.Sscanf(line, "done %d %d %d %d %d", &received, &lost, &next, &sum, &grown); err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
		if received+lost != published || next != published+1 || c == fast && (lost > 0 || sum != hash) {
			t.fail("received %d, lost %d, hash %08x; published %d, hash %08x", received, lost, sum, published, hash)
		}
		if grown > 2<<20 {
			t.fail("a consumer has %d bytes more in memory at the end", grown)
		}
		if code := c.reap(); code != 0 {
			t.fail("a consumer: exit %d: %s", code, c.stderr.String())
		}
	}
	t.note("%d records; %d consumers came and went; memory %+d KiB", published, restarts, grown>>10)
	t.counted(t.want)
	if err := errors.Join(r.Close(), ring.Remove(name)); err != nil {
		return err
	}
	return before.flat(t)
}

package ring

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/shm"
)

// Linearizability. What producers and consumers did and found, with the times
// of call and return, has to be explained by some order in which each call
// took effect at one moment between the two, on this: a log that is only ever
// appended to, and a cursor for each consumer.

// A deed is one call. Times are of the clock that all processes share.
type deed struct {
	Client       int // 0: the producer
	Kind         deedKind
	From, To     uint64 // records appended, read, lost or skipped by joining
	Call, Return int64
}

type deedKind uint8

const (
	appended     deedKind = iota
	joined                // begins at From
	joinedLatest          // begins at From, behind what was appended
	read
	nothing // there was no record
	lost
)

func (d deed) String() string {
	return fmt.Sprintf("%d: %s %d to %d", d.Client, [...]string{"appends", "joins at", "joins at the latest at", "reads", "finds nothing", "loses"}[d.Kind], d.From, d.To)
}

const historyConsumers = 3

// logState is the number of records and what is due for each consumer.
type logState struct {
	last uint64
	next [historyConsumers + 1]uint64
}

var logModel = porcupine.Model{
	Init: func() any { return logState{} },
	Step: func(state, in, _ any) (bool, any) {
		s, d := state.(logState), in.(deed)
		ok := s.step(d)
		return ok, s
	},
	DescribeOperation: func(in, _ any) string { return in.(deed).String() },
}

// step tells whether d may happen now, and lets it.
func (s *logState) step(d deed) (ok bool) {
	next := &s.next[d.Client]
	switch d.Kind {
	case appended:
		ok = d.From == s.last+1
		s.last = d.To
	case joined:
		ok = d.From <= s.last+1
		*next = d.From
	case joinedLatest:
		ok = d.From == s.last+1
		*next = d.From
	case read, lost:
		ok = d.From == *next && d.To <= s.last
		*next = d.To + 1
	case nothing:
		ok = *next == s.last+1
	}
	return ok
}

// A diary is what one client did, and when by a clock that all clients share: a
// word that each look moves on. The clocks of two processors do not agree to
// the nanosecond, and less where a hypervisor moves them about.
type diary struct {
	client int
	clock  *uint64
	deeds  []deed
}

func (d *diary) now() int64 { return int64(add64(d.clock, 1)) }

// sharedClock is a word of a ring that is nobody's.
func sharedClock(r *Ring) (clock *uint64, unmap func() error, err error) {
	a, err := attach(r.backing, r.view.geometry, shm.ReadOnly, shm.ReadWrite)
	if err != nil {
		return nil, nil, err
	}
	return a.slots.w64(page - 8), func() error { return errors.Join(a.unmap(), a.backing.release()) }, nil
}

func (d *diary) note(kind deedKind, from, to uint64, call int64) {
	d.deeds = append(d.deeds, deed{d.client, kind, from, to, call, d.now()})
}

// produceDiary appends batches of one to three records.
func produceDiary(p *Producer, d *diary, rng *rand.Rand, n int) error {
	for p.Sequence() <= uint64(n) {
		first := p.Sequence()
		for range 1 + rng.IntN(3) {
			if _, err := p.Reserve(background, rng.IntN(300)); err != nil {
				return err
			}
		}
		last, call := p.Sequence()-1, d.now()
		if err := p.Commit(); err != nil {
			return err
		}
		d.note(appended, first, last, call)
		if rng.IntN(8) == 0 {
			time.Sleep(time.Duration(rng.IntN(30)) * time.Microsecond)
		}
	}
	return nil
}

// consumeDiary reads, and now and then leaves and joins again.
func consumeDiary(r *Ring, d *diary, policy Policy, rng *rand.Rand) error {
	var c *Consumer
	join := func() error {
		call := d.now()
		kind, from := joined, Oldest
		if rng.IntN(2) == 0 {
			kind, from = joinedLatest, Latest
		}
		var err error
		if c, err = r.NewConsumer(ConsumerConfig{Policy: policy, From: from}); err == nil {
			d.note(kind, c.Sequence(), 0, call)
		}
		return err
	}
	if err := join(); err != nil {
		return err
	}
	defer func() { c.Close() }()
	var buf []byte
	for idle := 0; ; {
		call := d.now()
		rec, err := c.Read(never, buf)
		var over *OverrunError
		switch {
		case err == nil:
			d.note(read, rec.Sequence, rec.Sequence, call)
			idle = 0
		case errors.Is(err, ErrEmpty):
			if idle++; idle < 4 { // more of them say nothing
				d.note(nothing, 0, 0, call)
			}
			time.Sleep(time.Duration(rng.IntN(20)) * time.Microsecond)
		case errors.As(err, &over):
			d.note(lost, over.From, over.To, call)
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
		if rng.IntN(200) == 0 {
			if err := c.Close(); err != nil {
				return err
			}
			if err := join(); err != nil {
				return err
			}
		}
	}
}

// judge asks whether there is such an order.
func judge(t *testing.T, deeds []deed) {
	t.Helper()
	var ops []porcupine.Operation
	for _, d := range deeds {
		ops = append(ops, porcupine.Operation{ClientId: d.Client, Input: d, Call: d.Call, Return: d.Return})
	}
	if result := porcupine.CheckOperationsTimeout(logModel, ops, 20*time.Second); result != porcupine.Ok {
		for _, d := range deeds[:min(len(deeds), 300)] {
			t.Log(d.Call, d.Return, d)
		}
		t.Fatalf("%d calls: %v", len(deeds), result)
	}
}

var historyPolicies = []Policy{Reliable, Lossy, Deadline(time.Minute)}

func TestHistoriesOfGoroutinesAreLinearizable(t *testing.T) {
	s0 := historySeed(t)
	calls, losses, joins := 0, 0, 0
	rounds := count(40)
	for round := range rounds {
		r := newRing(t, Config{Capacity: MinCapacity})
		p := newProducer(t, r)
		diaries := make([]diary, historyConsumers+1)
		errs := make([]error, historyConsumers+1)
		var wg sync.WaitGroup
		clock, unmap, err := sharedClock(r)
		must(t, err)
		for i := range diaries {
			diaries[i].client, diaries[i].clock = i, clock
			rng := rand.New(rand.NewPCG(s0, uint64(round*10+i)))
			wg.Go(func() {
				if i == 0 {
					errs[0] = errors.Join(produceDiary(p, &diaries[0], rng, 300), p.Close())
				} else {
					errs[i] = consumeDiary(r, &diaries[i], historyPolicies[i-1], rng)
				}
			})
		}
		wg.Wait()
		must(t, errors.Join(errs...))
		must(t, unmap())
		var all []deed
		for _, d := range diaries {
			all = append(all, d.deeds...)
		}
		for _, d := range all {
			switch d.Kind {
			case lost:
				losses++
			case joined, joinedLatest:
				joins++
			}
		}
		calls += len(all)
		judge(t, all)
	}
	t.Logf("%d histories of %d calls, %d of them losses, %d joins: all linearizable", rounds, calls, losses, joins)
}

// historySeed comes from CAROUSEL_SEED, or is new and printed.
func historySeed(t *testing.T) uint64 {
	s, err := strconv.ParseUint(os.Getenv("CAROUSEL_SEED"), 10, 64)
	if err != nil {
		s = rand.Uint64()
	}
	t.Logf("CAROUSEL_SEED=%d", s)
	return s
}

func init() { roles["diarist"] = diaristRole }

// diaristRole is one client in a process of its own, which prints its diary.
func diaristRole() error {
	orphanGuard()
	r, err := Open(os.Getenv("RING"))
	if err != nil {
		return err
	}
	client, err := strconv.Atoi(os.Getenv("CLIENT"))
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	if err != nil {
		return err
	}
	clock, unmap, err := sharedClock(r)
	if err != nil {
		return err
	}
	defer unmap()
	d, rng := diary{client: client, clock: clock}, rand.New(rand.NewPCG(seed, uint64(client)))
	if client == 0 {
		p, err := r.NewProducer()
		if err != nil {
			return err
		}
		if err := p.WaitConsumers(background, historyConsumers); err != nil {
			return err
		}
		if err := errors.Join(produceDiary(p, &d, rng, 1000), p.Close()); err != nil {
			return err
		}
	} else if err := consumeDiary(r, &d, historyPolicies[client-1], rng); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(d.deeds)
}

func TestHistoriesOfProcessesAreLinearizable(t *testing.T) {
	if futex.Polls {
		t.Skip("SKIP: where waits poll, named rings are of one process")
	}
	s0 := historySeed(t)
	rounds, calls := max(count(20)/4, 1), 0
	for round := range rounds {
		name := testName(t)
		r, err := Create(name, Config{Capacity: MinCapacity, Slots: historyConsumers})
		must(t, err)
		var cmds [historyConsumers + 1]*exec.Cmd
		var outs [historyConsumers + 1]bytes.Buffer
		for i := range cmds {
			cmd := exec.Command(os.Args[0]) // not os.Executable, which an emulator hides
			cmd.Env = append(os.Environ(), roleEnv+"=diarist", "RING="+name, fmt.Sprint("CLIENT=", i), fmt.Sprint("SEED=", s0+uint64(round)))
			cmd.Stdout, cmd.Stderr = &outs[i], os.Stderr
			in, err := cmd.StdinPipe()
			must(t, err)
			must(t, cmd.Start())
			t.Cleanup(func() { in.Close(); _ = cmd.Process.Kill() })
			cmds[i] = cmd
		}
		var all []deed
		for i, cmd := range cmds {
			must(t, cmd.Wait())
			var deeds []deed
			must(t, json.Unmarshal(outs[i].Bytes(), &deeds))
			all = append(all, deeds...)
		}
		calls += len(all)
		judge(t, all)
		must(t, r.Close())
		must(t, Remove(name))
	}
	t.Logf("%d histories of %d calls of processes: all linearizable", rounds, calls)
}

// The judge refuses what no order explains.
func TestHistoriesThatCannotBeAreRefused(t *testing.T) {
	join := deed{1, joined, 1, 0, 1, 2}
	for name, second := range map[string]deed{
		"finds nothing behind an append": {1, nothing, 0, 0, 20, 21},
		"reads what is still to come":    {1, read, 1, 1, 3, 4},
		"reads one twice":                {1, read, 2, 2, 20, 21},
		"loses what is still to come":    {1, lost, 1, 2, 20, 21},
	} {
		var ops []porcupine.Operation
		for _, d := range []deed{join, {0, appended, 1, 1, 10, 11}, second} {
			ops = append(ops, porcupine.Operation{ClientId: d.Client, Input: d, Call: d.Call, Return: d.Return})
		}
		if porcupine.CheckOperations(logModel, ops) {
			t.Errorf("%s: accepted", name)
		}
	}
}

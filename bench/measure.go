package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strings"
	"time"
)

// settings are those of all measurements of a run.
type settings struct {
	prefix string        // of the names of links
	span   time.Duration // of a measurement
	cpus   [2]int        // of the sides; unpinned
}

// patience is how much longer than its span a measurement may take: to start
// and warm up on a machine that is busy.
const patience = 20 * time.Second

// measure runs one measurement of the entry and returns its values by metric.
func (e entry) measure(ctx context.Context, s settings) (values map[string]float64, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.span+patience, errors.New("it hangs"))
	defer cancel()
	l := &link{name: s.prefix}
	defer func() { err = errors.Join(err, l.remove()) }()
	if err := e.lay(l); err != nil {
		return nil, err
	}
	var sides [2]*side
	for i := range sides {
		if sides[i], err = e.start(ctx, l, s, i); err != nil {
			break
		}
	}
	l.handOver()
	if err != nil {
		cancel()
	}
	// The first that fails takes the other with it, which has then nothing of
	// its own to say.
	outcomes, first := wait(sides[:], cancel)
	if err = errors.Join(err, first); err != nil {
		if ctx.Err() != nil && context.Cause(ctx) != context.Canceled {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	if a, b := outcomes[0].Messages, outcomes[1].Messages; a != b {
		return nil, fmt.Errorf("wanted as many messages received as sent, found %d and %d", b, a)
	}
	values = outcomes[0].Values
	if values == nil {
		values = map[string]float64{}
	}
	maps.Copy(values, outcomes[1].Values)
	return values, nil
}

// side is one of the two processes.
type side struct {
	cmd      *exec.Cmd
	out, err bytes.Buffer
}

func (e entry) start(ctx context.Context, l *link, s settings, i int) (*side, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	order, err := json.Marshal(job{
		Entry: e.String(), Side: i, Link: l.name, Span: s.span, CPU: s.cpus[i],
	})
	if err != nil {
		return nil, err
	}
	p := &side{cmd: exec.CommandContext(ctx, self)}
	p.cmd.Env = append(os.Environ(), jobVariable+"="+string(order))
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.ExtraFiles = l.files[i]
	// Open until the process has ended, or this one has: see child.
	if _, err := p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return p, p.cmd.Start()
}

// outcome waits for the process.
func (p *side) outcome() (o outcome, err error) {
	err = p.cmd.Wait()
	if said := strings.TrimSpace(p.err.String()); err != nil && said != "" {
		err = errors.New(said)
	}
	if err == nil {
		err = json.Unmarshal(p.out.Bytes(), &o)
	}
	return o, err
}

func wait(sides []*side, cancel func()) (outcomes [2]outcome, first error) {
	type result struct {
		i int
		o outcome
		e error
	}
	results := make(chan result)
	running := 0
	for i, p := range sides {
		if p != nil && p.cmd.Process != nil {
			running++
			go func() {
				o, err := p.outcome()
				results <- result{i, o, err}
			}()
		}
	}
	for range running {
		r := <-results
		if outcomes[r.i] = r.o; r.e != nil && first == nil {
			first = fmt.Errorf("side %d: %w", r.i, r.e)
			cancel()
		}
	}
	return outcomes, first
}

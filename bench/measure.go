package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// patience is how much longer than its span a measurement may take: to start
// and warm up on a machine that is busy.
const patience = 20 * time.Second

var errHangs = errors.New("it hangs")

// count makes the names of links differ.
var count atomic.Uint64

func (e entry) job(s settings) side.Job {
	return side.Job{
		Contestant: e.contestant.Name, Work: e.work, Mode: e.mode, Trace: e.workload.name == traced.name,
		Link: fmt.Sprintf("%s-%d", s.prefix, count.Add(1)), Span: s.spanOf(e),
		Size: e.size, Batch: e.batch, Consumers: e.consumers, Rate: paceOf[e.workload.name],
	}
}

// sides is how many processes take part.
func (e entry) sides() int {
	switch {
	case e.Pair != nil || e.mode == copying.mode:
		return 1
	case e.work == idleness.work: // all consumers in one process
		return 2
	}
	return 1 + e.consumers
}

// measure runs one measurement of the entry and returns its values by metric.
func (e entry) measure(ctx context.Context, s settings) (values map[string]float64, err error) {
	if e.program != "" && s.native != nil {
		return nil, s.native
	}
	if e.uid != 0 && !canBe(e.uid) {
		return nil, fmt.Errorf("%w: only root starts processes of another user", side.ErrMissing)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.spanOf(e)+patience, errHangs)
	defer cancel()
	j := e.job(s)
	if j.Mode == "" {
		j.Mode = e.work
	}
	j.Sides = e.sides()
	j.Dir = filepath.Join(s.dir, j.Link)
	// Sides of another user must get in.
	if err := errors.Join(os.Mkdir(j.Dir, 0o700), os.Chmod(j.Dir, 0o711)); err != nil {
		return nil, err
	}
	var l link
	defer func() { err = errors.Join(err, l.remove(), os.RemoveAll(j.Dir)) }()
	if e.peer {
		l.undo = append(l.undo, func() error { return removeShared(j.Link) })
	}
	if e.lay != nil {
		if err := e.lay(&l, j); err != nil {
			return nil, err
		}
	}
	processes := make([]*process, j.Sides)
	for i := range processes {
		j.Side = i
		if s.pinned() {
			j.CPUs = e.places(s.cpus, i)
		}
		if processes[i], err = e.start(ctx, &l, s, j); err != nil {
			break
		}
	}
	l.handOver()
	if err != nil {
		cancel()
	}
	// The first that fails takes the others with it, which have then nothing of
	// their own to say, unless all hang.
	outcomes, first := wait(processes, cancel, func() bool { return context.Cause(ctx) == errHangs })
	if err = errors.Join(err, first); err != nil {
		if context.Cause(ctx) == errHangs {
			err = fmt.Errorf("%w\n%w", errHangs, err)
		}
		return nil, err
	}
	return e.combine(outcomes)
}

// combine makes the values of an entry of those of its sides: where several
// have one, the worst.
func (e entry) combine(outcomes []side.Outcome) (map[string]float64, error) {
	values := map[string]float64{}
	for i, o := range outcomes {
		if sent := outcomes[0].Messages; o.Messages != sent {
			return nil, fmt.Errorf("wanted as many messages received as sent, found %d and %d at side %d", o.Messages, sent, i)
		}
		for name, v := range o.Values {
			if old, ok := values[name]; !ok || v < old {
				values[name] = v
			}
		}
	}
	values[bandwidth.name] = values[rate.name] * float64(e.size) / 1e3
	return values, nil
}

// process is one of the sides.
type process struct {
	cmd      *exec.Cmd
	out, err bytes.Buffer
}

func (e entry) start(ctx context.Context, l *link, s settings, j side.Job) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	switch {
	case e.peer:
		self = filepath.Join(s.dir, peersProgram)
	case e.program != "":
		self = filepath.Join(s.dir, e.program)
	}
	p := &process{cmd: exec.CommandContext(ctx, self)}
	if e.uid != 0 && j.Side > 0 {
		become(p.cmd, e.uid)
	}
	p.cmd.Env = append(os.Environ(), side.Variable+"="+j.String())
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.WaitDelay = time.Second
	if e.program == "" {
		// What hangs says where.
		p.cmd.Cancel = func() error {
			if context.Cause(ctx) == errHangs {
				return p.cmd.Process.Signal(syscall.SIGQUIT)
			}
			return p.cmd.Process.Kill()
		}
	}
	if j.Side < len(l.files) {
		p.cmd.ExtraFiles = l.files[j.Side]
	}
	// Open until the process has ended, or this one has.
	if _, err := p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return p, p.cmd.Start()
}

// outcome waits for the process.
func (p *process) outcome() (o side.Outcome, err error) {
	err = p.cmd.Wait()
	if said := strings.TrimSpace(p.err.String()); err != nil && said != "" {
		err = errors.New(said)
	}
	if p.cmd.ProcessState.ExitCode() == side.Missing {
		err = fmt.Errorf("%w: %w", side.ErrMissing, err)
	}
	if err == nil {
		err = json.Unmarshal(p.out.Bytes(), &o)
	}
	return o, err
}

func wait(processes []*process, cancel func(), hangs func() bool) (outcomes []side.Outcome, first error) {
	type result struct {
		i int
		o side.Outcome
		e error
	}
	outcomes = make([]side.Outcome, len(processes))
	results := make(chan result)
	running := 0
	for i, p := range processes {
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
		outcomes[r.i] = r.o
		switch {
		case r.e == nil:
		case first == nil:
			first = fmt.Errorf("side %d: %w", r.i, r.e)
			cancel()
		case hangs():
			first = fmt.Errorf("%w\nside %d: %w", first, r.i, r.e)
		}
	}
	return outcomes, first
}

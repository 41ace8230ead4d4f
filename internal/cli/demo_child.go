package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"time"

	"github.com/carousel-ipc/carousel/transport"
)

// How the demo tells its own program that it is to be a consumer.
const (
	demoRoleVariable   = "CAROUSEL_DEMO_ROLE"
	demoURLVariable    = "CAROUSEL_DEMO_URL"
	demoPolicyVariable = "CAROUSEL_DEMO_POLICY"
)

func demoRole() (string, bool) { return os.LookupEnv(demoRoleVariable) }

// demoReport is what a consumer of the demo tells the producer's process ten
// times a second, as a line of JSON.
type demoReport struct {
	Received, Lost, Torn uint64
	P50, P99             int64 // since the last report, nanoseconds; 0 none came
	Final                bool  // the stream has ended
	Error                string
}

const (
	demoReports = 100 * time.Millisecond
	// The slow consumer rests after so many records.
	demoSlowBatch = 48
	demoRest      = time.Millisecond
)

// demoConsumer is a consumer process of the demo. stdin is a pipe from the
// parent that brings nothing: its end is the parent's.
func demoConsumer(role string, stdin io.Reader, stdout io.Writer) int {
	signal.Ignore(os.Interrupt) // it is for the parent, which ends the stream
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		os.Exit(exitError)
	}()
	d := &demoSink{measure: newMeasure(true, true), out: json.NewEncoder(stdout)}
	if role == "lossy-slow" {
		d.rest = demoRest
	}
	err := d.run(role)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.report.Final, d.report.Error = err == nil, errorText(err)
	if d.send() != nil || err != nil {
		return exitError
	}
	return exitOK
}

// demoSink measures, and reports what it measured.
type demoSink struct {
	*measure
	rest time.Duration

	mu     sync.Mutex
	report demoReport
	out    *json.Encoder
}

func (d *demoSink) run(role string) error {
	policy, err := transport.ParsePolicy(os.Getenv(demoPolicyVariable))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), demoLimit)
	defer cancel()
	c, err := transport.Open(ctx, os.Getenv(demoURLVariable), transport.ConsumerConfig{Name: role, Policy: policy})
	if err != nil {
		return err
	}
	r := &receiver{ctx: ctx, c: c, sink: d, limit: unlimited, most: batchRecords}
	if d.rest > 0 {
		r.most = demoSlowBatch
	}
	r.live = &tally{}
	stop := make(chan struct{})
	var reporting sync.WaitGroup
	reporting.Go(func() {
		t := time.NewTicker(demoReports)
		defer t.Stop()
		for {
			select {
			case <-stop:
				return
			case <-t.C:
			}
			d.mu.Lock()
			d.fill(r.live)
			err := d.send()
			d.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	err = r.receive()
	close(stop)
	reporting.Wait()
	r.show()
	d.fill(r.live)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, c.Close())
}

// keep is measure's, and the rest that the slow consumer takes.
func (d *demoSink) keep() error {
	d.mu.Lock()
	err := d.measure.keep()
	d.mu.Unlock()
	if d.rest > 0 {
		time.Sleep(d.rest)
	}
	return err
}

func (d *demoSink) fill(t *tally) {
	f := d.figures()
	d.latency.Reset()
	d.report = demoReport{
		Received: t.records.Load(), Lost: t.lost.Load(), Torn: d.torn,
		P50: f.P50, P99: f.P99,
	}
}

func (d *demoSink) send() error { return d.out.Encode(d.report) }

// demoChild is a consumer process as its parent sees it.
type demoChild struct {
	name    string
	policy  transport.Policy
	process *os.Process
	done    chan struct{} // closed when it has ended and was reaped
	state   *demoState    // whose mutex guards what follows

	last       demoReport
	p50, p99   int64 // of the last report over a full demoReports that had any
	lag        uint64
	rate       float64
	previous   uint64
	reportedAt time.Time
	killed     bool
	code       int
	ended      bool
}

// startDemoChild starts this program again as the consumer name.
func startDemoChild(name string, policy transport.Policy, s *demoState) (*demoChild, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), demoRoleVariable+"="+name, demoURLVariable+"="+s.url, demoPolicyVariable+"="+policy.String())
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting consumer %s: %w", name, err)
	}
	c := &demoChild{name: name, policy: policy, process: cmd.Process, done: make(chan struct{}), state: s}
	go func() {
		defer close(c.done)
		c.listen(stdout)
		_ = cmd.Wait() // the exit code tells
		_ = stdin.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		c.ended, c.code, c.rate = true, cmd.ProcessState.ExitCode(), 0
	}()
	return c, nil
}

func (c *demoChild) pid() int { return c.process.Pid }

// listen takes the child's reports until it ends.
func (c *demoChild) listen(r io.Reader) {
	in := json.NewDecoder(r)
	for {
		var rep demoReport
		if in.Decode(&rep) != nil {
			_, _ = io.Copy(io.Discard, r)
			return
		}
		c.state.mu.Lock()
		now := time.Now()
		if !c.reportedAt.IsZero() {
			rate := float64(rep.Received-c.previous) / now.Sub(c.reportedAt).Seconds()
			if c.rate == 0 {
				c.rate = rate
			}
			c.rate += (rate - c.rate) / 4 // smooth, to be readable
		}
		c.reportedAt, c.previous, c.last = now, rep.Received, rep
		if rep.P50 > 0 && !rep.Final { // the last one covers what was left
			c.p50, c.p99 = rep.P50, rep.P99
		}
		c.state.mu.Unlock()
	}
}

// observe takes what the ring says of the child. The caller holds the mutex.
func (c *demoChild) observe(st transport.Stats) {
	c.lag = 0
	for _, s := range st.Consumers {
		if s.Name == c.name && s.Alive {
			c.lag = s.Lag
		}
	}
}

// attached tells whether the ring still counts on the child.
func (c *demoChild) attached(st transport.Stats) bool {
	for _, s := range st.Consumers {
		if s.Name == c.name && s.Alive {
			return true
		}
	}
	return false
}

func (c *demoChild) exited() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// clean tells whether the child saw the end of the stream and nothing wrong.
func (c *demoChild) clean() bool {
	return c.last.Final && c.last.Error == "" && c.last.Torn == 0 && c.ended && c.code == exitOK
}

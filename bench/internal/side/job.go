package side

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Variable is the environment variable that holds the job of a process that
// is a side. Its value is lines of key=value, which C can read as well.
const Variable = "CAROUSEL_BENCH_JOB"

// A Job is what the bench tells a side.
type Job struct {
	Contestant string
	Work       string // one of the keys of works
	Mode       string // for programs in C
	Side       int    // 0 sends; with Sides of 1 a process is all sides
	Sides      int
	Link       string // no other measurement has it: the name to meet at
	Dir        string // a folder of this measurement alone
	CPUs       []int  // none: anywhere
	Span       time.Duration
	Size       int // bytes of a message
	Batch      int // messages to publish at a time
	Consumers  int
	Rate       int  // messages a second
	Trace      bool // count system calls
}

// String is the form that ParseJob reads.
func (j Job) String() string {
	cpus := make([]string, len(j.CPUs))
	for i, c := range j.CPUs {
		cpus[i] = strconv.Itoa(c)
	}
	var b strings.Builder
	for _, field := range []struct {
		key   string
		value any
	}{
		{"contestant", j.Contestant}, {"work", j.Work}, {"mode", j.Mode}, {"side", j.Side}, {"sides", j.Sides},
		{"link", j.Link}, {"dir", j.Dir}, {"cpus", strings.Join(cpus, ",")}, {"span", j.Span.Nanoseconds()},
		{"size", j.Size}, {"batch", j.Batch}, {"consumers", j.Consumers}, {"rate", j.Rate}, {"trace", j.Trace},
	} {
		fmt.Fprintf(&b, "%s=%v\n", field.key, field.value)
	}
	return b.String()
}

// ParseJob reads what String writes.
func ParseJob(text string) (j Job, err error) {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		values[key] = value
	}
	number := func(s string) (n int64) {
		if n, wrong := strconv.ParseInt(s, 10, 64); wrong == nil {
			return n
		} else if err == nil {
			err = fmt.Errorf("job: wanted a number, found %q", s)
		}
		return 0
	}
	j = Job{
		Contestant: values["contestant"], Work: values["work"], Mode: values["mode"],
		Link: values["link"], Dir: values["dir"], Trace: values["trace"] == "true",
		Side: int(number(values["side"])), Sides: int(number(values["sides"])), Span: time.Duration(number(values["span"])),
		Size: int(number(values["size"])), Batch: int(number(values["batch"])),
		Consumers: int(number(values["consumers"])), Rate: int(number(values["rate"])),
	}
	if cpus := values["cpus"]; cpus != "" {
		for c := range strings.SplitSeq(cpus, ",") {
			j.CPUs = append(j.CPUs, int(number(c)))
		}
	}
	return j, err
}

// An Outcome is what a side reports: how many messages it sent or received, and
// the values that it measured, by name.
type Outcome struct {
	Messages uint64             `json:"messages"`
	Values   map[string]float64 `json:"values,omitempty"`
}

func (o *Outcome) set(name string, v float64) {
	if o.Values == nil {
		o.Values = map[string]float64{}
	}
	o.Values[name] = v
}

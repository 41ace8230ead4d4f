package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// producerSummary is the last thing a producer says. Scripts read its JSON:
// every key is always there.
type producerSummary struct {
	URL       string  `json:"url"`
	Medium    string  `json:"medium"`
	Published uint64  `json:"published"` // records committed by this run
	Bytes     uint64  `json:"bytes"`     // and their payload
	Seconds   float64 `json:"seconds"`   // from the first input to the end of draining
	Evicted   uint64  `json:"evicted"`   // consumers evicted by this run
	Fence     string  `json:"fence"`     // who pays for it: "sleeper" or "producer"
	Error     string  `json:"error"`     // "" none
}

func (s producerSummary) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: published %s in %s", s.URL, amount(s.Published, s.Bytes), perSecond(s.Published, s.Bytes, s.Seconds))
	if s.Evicted > 0 {
		fmt.Fprintf(&b, ", evicted %s", count(s.Evicted, "consumer"))
	}
	if s.Error != "" {
		fmt.Fprintf(&b, "; error: %s", strings.TrimPrefix(s.Error, s.URL+": "))
	}
	return b.String()
}

// consumerSummary is the same of a consumer.
type consumerSummary struct {
	URL        string  `json:"url"`
	Medium     string  `json:"medium"`
	Name       string  `json:"name"`
	Policy     string  `json:"policy"`
	Received   uint64  `json:"received"`
	Bytes      uint64  `json:"bytes"`
	Seconds    float64 `json:"seconds"` // from the first record to the end
	Lost       uint64  `json:"lost"`
	FirstLost  uint64  `json:"first_lost"` // sequences; 0 when nothing was lost
	LastLost   uint64  `json:"last_lost"`
	Torn       uint64  `json:"torn"`
	OutOfOrder uint64  `json:"out_of_order"`
	Duplicates uint64  `json:"duplicates"`
	Epochs     uint64  `json:"epochs"`     // producers that were read from
	Latency    latency `json:"latency_ns"` // zeros unless measured
	Error      string  `json:"error"`      // "" none
}

// latency is how old records were when they were viewed, in nanoseconds.
type latency struct {
	P50  int64 `json:"p50"`
	P90  int64 `json:"p90"`
	P99  int64 `json:"p99"`
	P999 int64 `json:"p999"`
	Max  int64 `json:"max"`
}

func (s consumerSummary) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: received %s in %s", s.URL, amount(s.Received, s.Bytes), perSecond(s.Received, s.Bytes, s.Seconds))
	if s.Lost > 0 {
		fmt.Fprintf(&b, ", lost %d (from %d to %d)", s.Lost, s.FirstLost, s.LastLost)
	} else {
		b.WriteString(", lost 0")
	}
	for _, c := range []struct {
		n    uint64
		what string
	}{{s.Torn, "torn"}, {s.OutOfOrder, "out of order"}, {s.Duplicates, "duplicated"}} {
		if c.n > 0 {
			fmt.Fprintf(&b, ", %d %s", c.n, c.what)
		}
	}
	if s.Epochs > 1 {
		fmt.Fprintf(&b, ", %d producers", s.Epochs)
	}
	if l := s.Latency; l.Max > 0 {
		fmt.Fprintf(&b, ", latency p50 %v p90 %v p99 %v p99.9 %v max %v",
			nanos(l.P50), nanos(l.P90), nanos(l.P99), nanos(l.P999), nanos(l.Max))
	}
	if s.Error != "" {
		fmt.Fprintf(&b, "; error: %s", strings.TrimPrefix(s.Error, s.URL+": "))
	}
	return b.String()
}

// summarize writes s, as one line of either kind.
func summarize(c *console, s interface{ line() string }, asJSON bool) {
	c.quiet()
	if !asJSON {
		c.note("%s", strings.ReplaceAll(s.line(), "\n", "; "))
		return
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil { // no value of these types fails
		c.note("%v", err)
		return
	}
	c.print(b.String())
}

// errorText is err on one line, "" for nil. What several calls found is said
// once.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	return strings.Join(slices.Compact(strings.Split(err.Error(), "\n")), "; ")
}

// Figures for people.

func count(n uint64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// amount is "5 records, 1.2 MB".
func amount(records, bytes uint64) string {
	return count(records, "record") + ", " + scaled(float64(bytes), "B")
}

// perSecond is "1.20 s (4.2 M/s, 268 MB/s)".
func perSecond(records, bytes uint64, seconds float64) string {
	if seconds <= 0 {
		return fmt.Sprintf("%.2f s", seconds)
	}
	return fmt.Sprintf("%.2f s (%s/s, %s/s)", seconds,
		scaled(float64(records)/seconds, ""), scaled(float64(bytes)/seconds, "B"))
}

// scaled is x with three digits and a decimal prefix: "1.2 M", "268 MB".
func scaled(x float64, unit string) string {
	prefixes := []string{"", "k", "M", "G", "T", "P", "E"}
	i := 0
	for ; x >= 999.5 && i < len(prefixes)-1; i++ {
		x /= 1000
	}
	digits := 0
	if i > 0 && x < 9.995 {
		digits = 2
	} else if i > 0 && x < 99.95 {
		digits = 1
	}
	return strings.TrimRight(fmt.Sprintf("%.*f %s%s", digits, x, prefixes[i], unit), " ")
}

// nanos is a duration with about three digits.
func nanos(ns int64) time.Duration {
	d := time.Duration(ns)
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}

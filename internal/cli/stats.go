package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/carousel-ipc/carousel/transport"
)

// printStats writes what can be seen of url from outside: the answer to
// SIGUSR1.
func printStats(c *console, url string) {
	st, err := transport.Inspect(url)
	if err != nil {
		c.note("statistics: %v", err)
		return
	}
	c.print(statsText(url, st))
}

func statsText(url string, st transport.Stats) string {
	var b strings.Builder
	p := st.Producer
	state := "alive"
	switch {
	case st.Ended:
		state = "ended"
	case !p.Alive:
		state = "dead"
	}
	if st.Slots == 0 { // no ring: nobody knows of consumers
		b.WriteString(url + ": ")
		if st.Capacity > 0 {
			fmt.Fprintf(&b, "%v, ", size(st.Capacity))
		}
		fmt.Fprintf(&b, "records of up to %v\nproducer %d", size(st.MaxRecord), st.Epoch)
		if p.Owner != "" {
			fmt.Fprintf(&b, " (%s)", p.Owner)
		}
		fmt.Fprintf(&b, ", %s: published %s\n", state, count(p.Published, "record"))
		return b.String()
	}
	fmt.Fprintf(&b, "%s: %v, records of up to %v, %s\n", url, size(st.Capacity), size(st.MaxRecord), count(uint64(st.Slots), "slot"))
	fmt.Fprintf(&b, "producer %d (%s), %s: published %s, waited for credit %s, woke %d, evicted %d, fence by %s",
		st.Epoch, p.Owner, state, amount(p.Published, p.Bytes), count(p.CreditWaits, "time"), p.Wakes, p.Evictions, p.Fence)
	if p.WaitingFor != "" {
		fmt.Fprintf(&b, ", waiting for %s", p.WaitingFor)
	} else if p.WaitedFor != "" {
		fmt.Fprintf(&b, ", last for %s", p.WaitedFor)
	}
	b.WriteString("\n")
	if len(st.Consumers) == 0 {
		b.WriteString("no consumers\n")
		return b.String()
	}
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "slot\tconsumer\tpolicy\tstate\tnext\tlag\treceived\tlost\twaits\twakes\t")
	for _, c := range st.Consumers {
		state := "alive"
		switch {
		case c.Evicted:
			state = "evicted"
		case !c.Alive:
			state = "dead"
		}
		fmt.Fprintf(t, "%d\t%s\t%v\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n",
			c.Slot, c.Name, c.Policy, state, c.Sequence, c.Lag, c.Received, c.Lost, c.Waits, c.Wakes)
	}
	t.Flush()
	return b.String()
}

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// A medium of the transport beside the same medium as a Go program would use it
// without.
type medium struct {
	name          string
	plain, framed contestant
	equal         *contestant // plain too, with what the frames promise; the goals are about it
	large         int         // bytes of a large message
	batches       []int       // of small messages, nil: of 32; the goal is about the last
	unequal       bool
}

func (m medium) together() []int {
	if m.batches == nil {
		return []int{batches}
	}
	return m.batches
}

// Sizes of large messages where 64 KiB do not fit, with a preamble and a header.
const (
	largeMessage  = 64 << 10
	largeQueued   = 8192 - 48
	largeDatagram = 65456
)

// media are compared two and two.
func media() []medium {
	return []medium{
		{name: "pipe", plain: pipe(), framed: overMedium("pipe:", "a pipe that was inherited", layPipe, func(side.Job) (string, error) { return "pipe:", nil })},
		{name: "FIFO", plain: fifo(), framed: overMedium("fifo:", "a named pipe", nil, inFolder("fifo"))},
		{name: "unix", plain: unixStream(), framed: overMedium("unix:", "one client of a stream socket", nil, inFolder("unix"))},
		{name: "unixpacket", plain: seqpacket(), framed: overMedium("unixpacket:", "one client of a seqpacket socket", nil, inFolder("unixpacket"))},
		{name: "tcp", plain: tcp(), framed: overMedium("tcp:", "one client on the loopback interface", layAddress("tcp"), atAddress("tcp"))},
		{name: "mq", large: largeQueued, plain: shallowQueue(), framed: overMedium("mq:", "a queue as deep as every user may have it", layQueue,
			func(j side.Job) (string, error) { return "mq://" + queueName(j, 0), nil })},
		{name: "log", plain: growingFile(), equal: new(growingRecords()), batches: []int{batches, 4 * batches}, framed: overMedium("log:", "segments, never synced, read from the beginning", usePages, inFolder("log"))},
		{name: "file", plain: growingFile(), framed: overMedium("file:", "a ring in a mapped file", nil, inFolder("file"))},
		{name: "udp", large: largeDatagram, unequal: true, plain: datagrams(), framed: overMedium("udp:", "the loopback interface", layAddress("udp"), atAddress("udp"))},
	}
}

func (m medium) largest() int {
	if m.large > 0 {
		return m.large
	}
	return largeMessage
}

// workload is what is measured with messages of so many bytes.
func (m medium) workload(size int) workload {
	w := workload{name: "W7 " + m.name, title: "beside plain Go", work: oneWay.work, places: apart, metrics: []metric{rate, bandwidth}}
	if size > small {
		w.metrics = []metric{bandwidth, rate}
	}
	if m.unequal {
		w.metrics = append(w.metrics, metric{name: "received", unit: "%", digits: 1})
	}
	return w
}

// few and many are the entries of a contestant in small messages, so many at a
// time, and in large ones.
func (m medium) few(c contestant, batch int) entry {
	return entry{m.workload(small), c, small, batch, 1, false}
}

func (m medium) many(c contestant) entry {
	return entry{m.workload(m.largest()), c, m.largest(), 1, 1, false}
}

// entries are plain and framed, in small messages and large ones.
func (m medium) entries() (list []entry) {
	list = append(list, m.few(m.plain, 1))
	if m.equal != nil {
		list = append(list, m.few(*m.equal, 1))
	}
	for _, batch := range m.together() {
		list = append(list, m.few(m.framed, batch))
	}
	list = append(list, m.many(m.plain))
	if m.equal != nil {
		list = append(list, m.many(*m.equal))
	}
	return append(list, m.many(m.framed))
}

// goals of the media: what frames cost must be little, and what batches save
// much. Datagrams are shown.
func (m medium) goals() []goal {
	all := m.beside("plain Go", m.plain, m.unequal || m.equal != nil)
	if m.equal != nil {
		all = append(all, m.beside("plain Go with CRC32C", *m.equal, false)...)
	}
	return all
}

func (m medium) beside(name string, plain contestant, onlyShown bool) (all []goal) {
	sizes := m.together()
	for i, batch := range sizes {
		g := goal{fmt.Sprintf("W7 %s 64 B, batches of %d / %s", m.name, batch, name), atLeast, 5,
			[]reading{{m.few(m.framed, batch), rate.name}, {m.few(plain, 1), rate.name}}, ratio}
		if onlyShown || i < len(sizes)-1 {
			g.bound = shown
		}
		all = append(all, g)
	}
	large := goal{"W7 " + m.name + " " + inBytes(m.largest()) + " / " + name, atLeast, 0.9,
		[]reading{{m.many(m.framed), rate.name}, {m.many(plain), rate.name}}, ratio}
	if onlyShown {
		large.bound = shown
	}
	return append(all, large)
}

// printMediaGoals judges the media that were measured.
func printMediaGoals(w io.Writer, results []result) {
	var all []goal
	for _, m := range media() {
		for _, g := range m.goals() {
			if find(results, g.needs[0].entry) != nil && find(results, g.needs[1].entry) != nil {
				all = append(all, g)
			}
		}
	}
	if len(all) > 0 {
		io.WriteString(w, "\n")
		printGoals(w, all, results)
	}
}

func ofMedia(w workload) bool { return strings.HasPrefix(w.name, "W7 ") }

package transport

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/carousel-ipc/carousel/frame"
)

// Datagrams: one record in each, sent to an address that a consumer binds. What
// nobody hears, or has no room for, is lost, and counted by its sequence.
// Nobody counts the producers of an address, so the epoch in a datagram is a
// number drawn at random: which stream it belongs to.
var udpScheme = scheme{
	name: "udp", form: "udp://HOST:PORT",
	check: checkDatagramAddress, create: newUdpProducer, open: newUdpConsumer, inspect: inspectUdp,
}

// checkDatagramAddress takes "//HOST:PORT".
func checkDatagramAddress(rest string) (string, error) {
	address, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return "", errors.New("found no // behind the scheme")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("found %q: %w", shorten(address), err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("a port is a number from 1 to 65535, found %q", shorten(port))
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == '/' || r == 0x7f }) || len(host) > 253 {
		return "", fmt.Errorf("found %q as a host", shorten(host))
	}
	return address, nil
}

// maxDatagram is the largest payload of UDP over IPv4; IPv6 has a little more.
const maxDatagram = 65507

// eosRepeats are the pauses between one EOS and the next: those who have no
// room for the first may have for the others.
var eosRepeats = [...]time.Duration{2 * time.Millisecond, 10 * time.Millisecond, 40 * time.Millisecond, 80 * time.Millisecond}

type udpProducer struct {
	ungated
	out   *datagramSender
	url   string
	id    uint64
	heads []byte // preambles of what is being sent
}

func newUdpProducer(t target, cfg ProducerConfig) (Producer, error) {
	var flags frame.Flags
	if cfg.Checksum {
		flags = frame.CRC
	}
	limit := largestIn(maxDatagram, flags)
	most := cfg.MaxRecord
	if most == 0 {
		most = limit
	}
	if most < 1 || most > limit {
		return nil, fmt.Errorf("%s: %w: records of up to %d bytes, want 1 to %d, which fit in a datagram of %d", t.url, ErrConfig, most, limit, maxDatagram)
	}
	conn, err := net.Dial("udp", t.name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.url, err)
	}
	widenDatagrams(conn.(*net.UDPConn))
	out, err := newDatagramSender(conn.(*net.UDPConn))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", t.url, err), conn.Close())
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	st := newStage(1, most, flags)
	st.why = fmt.Sprintf(", which fit in a datagram of %d", maxDatagram)
	return &udpProducer{ungated: newUngated(st), out: out, url: t.url, id: binary.LittleEndian.Uint64(id[:]) | 1}, nil
}

// Commit sends a datagram for each record. It waits for room in the buffer of
// the socket, and for nobody else.
func (p *udpProducer) Commit() error { return p.commit(p.send) }

func (p *udpProducer) send() error {
	p.heads = p.heads[:0]
	for i := range p.held {
		p.heads = frame.Preamble{Epoch: p.id, First: p.first() + uint64(i)}.Append(p.heads)
	}
	for done := 0; done < len(p.held); {
		n, err := p.out.send(len(p.held)-done, func(i int) (head, body []byte) {
			at := (done + i) * frame.PreambleSize
			return p.heads[at : at+frame.PreambleSize], p.frame(done + i)
		})
		if err != nil {
			return p.refused(err, len(p.frame(done))+packetOverhead)
		}
		done += n
	}
	return nil
}

func (p *udpProducer) refused(err error, n int) error {
	if errors.Is(err, syscall.EMSGSIZE) {
		return fmt.Errorf("%s: %w: a datagram of %d bytes is more than this system, or the way there, takes: %w", p.url, ErrTooLarge, n, err)
	}
	return fmt.Errorf("%s: %w", p.url, err)
}

func (p *udpProducer) WaitConsumers(context.Context, int) error {
	return fmt.Errorf("who receives datagrams cannot be counted: %w", errors.ErrUnsupported)
}

func (p *udpProducer) Stats() (Stats, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{
		Name: p.url, MaxRecord: p.most, Checksum: p.flags != 0, Epoch: 1, Ended: p.closed.Load(),
		Producer: ProducerStats{Alive: !p.closed.Load(), Published: p.behind - 1, Bytes: p.bytes},
	}, nil
}

// Close says a few times that the stream has ended, which takes a moment.
func (p *udpProducer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Swap(true) {
		return os.ErrClosed
	}
	head := frame.Preamble{Epoch: p.id, First: p.behind}.Append(nil)
	eos := frame.Append(nil, frame.NewRecord(p.behind, 0, frame.EOS|p.flags, binary.LittleEndian.AppendUint64(nil, p.id)))
	var err error
	for i := 0; ; i++ {
		if _, serr := p.out.send(1, func(int) ([]byte, []byte) { return head, eos }); serr != nil {
			err = p.refused(serr, len(head)+len(eos))
		}
		if i == len(eosRepeats) {
			break
		}
		time.Sleep(eosRepeats[i])
	}
	return errors.Join(err, p.out.close())
}

func inspectUdp(t target) (Stats, error) {
	return Stats{}, fmt.Errorf("%s: datagrams leave nothing to look at: %w", t.url, errors.ErrUnsupported)
}

var _ Producer = (*udpProducer)(nil)

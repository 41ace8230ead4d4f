package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Stream sockets: the producer listens, and serves the ring that it has in its
// own memory to any number of consumers, here or elsewhere.
var (
	unixScheme = socketMedium{network: "unix", listen: listenUnix}.scheme("unix", "unix:///PATH", checkSocketPath)

	// Packets are whole or not there, and end with their sender like a stream.
	unixpacketScheme = socketMedium{network: "unixpacket", listen: listenUnix, most: mostPacket}.scheme("unixpacket", "unixpacket:///PATH", checkSocketPath)

	tcpScheme = socketMedium{network: "tcp", listen: listenTCP}.scheme("tcp", "tcp://HOST:PORT", checkHostPort)
)

type socketMedium struct {
	network string
	most    int // bytes of a packet; 0: a stream
	// listen makes the socket; unname takes its name away again.
	listen func(m socketMedium, address string, perm fs.FileMode) (l net.Listener, unname func() error, err error)
}

func (m socketMedium) scheme(name, form string, check func(string) (string, error)) scheme {
	return scheme{name: name, form: form, check: check, create: m.newProducer, open: m.newConsumer, inspect: m.inspect}
}

func (m socketMedium) newProducer(t target, cfg ProducerConfig) (Producer, error) {
	p, err := m.tryProducer(t, cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.url, err)
	}
	return p, nil
}

func (m socketMedium) tryProducer(t target, cfg ProducerConfig) (Producer, error) {
	p, err := newCast(t.url, cfg)
	if err != nil {
		return nil, err
	}
	l, unname, err := m.listen(m, t.name, cfg.Perm)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	v := &server{cast: p, listener: l, how: m.sending()}
	p.stop = func() error { return errors.Join(unname(), v.close()) }
	go v.accept()
	return p, nil
}

// sending of TCP does at once all that is to be done at the receiving end of a
// connection within this machine: it is not for a commit to wait for.
func (m socketMedium) sending() sending {
	if m.network == "tcp" {
		return sending{lingers: true}
	}
	return sending{most: m.most, offers: true, splices: m.most == 0}
}

func listenTCP(m socketMedium, address string, _ fs.FileMode) (net.Listener, func() error, error) {
	l, err := net.Listen(m.network, address)
	if err != nil && inUse(err) {
		err = m.held(address)
	}
	return l, func() error { return nil }, err
}

// newConsumer looks, at least once, until a producer serves it or ctx ends.
func (m socketMedium) newConsumer(ctx context.Context, t target, cfg ConsumerConfig) (Consumer, error) {
	if err := named(&cfg); err != nil {
		return nil, fmt.Errorf("%s: %w", t.url, err)
	}
	return patiently(ctx, t.url, func() (Consumer, error) {
		c, err := m.tryConsumer(ctx, t, cfg)
		if err != nil {
			return nil, err
		}
		return c, nil
	})
}

func (m socketMedium) tryConsumer(ctx context.Context, t target, cfg ConsumerConfig) (*streamConsumer, error) {
	c, a, err := m.ask(ctx, t.name, newHello(wishStream, cfg))
	if err != nil {
		return nil, err
	}
	w, err := newWire(c, cfg.Wait)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	end := streamEnd{max: int(a.most), notices: true}
	if cfg.Policy.Gates() {
		end.acks = newAcks(c, uint64(a.every))
		end.most = unreleasedMost(a)
	}
	preamble, cancel := context.WithTimeout(context.WithoutCancel(ctx), helloLimit)
	defer cancel()
	s, err := newStreamConsumer(preamble, w, cfg, end)
	if err != nil {
		return nil, errors.Join(silence(err), c.Close())
	}
	return s, nil
}

// silence turns the end of the time that a handshake has into what it means.
func silence(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	return err
}

// ask connects, says hello and reads the answer.
func (m socketMedium) ask(ctx context.Context, address string, h hello) (c conn, a answer, err error) {
	dial, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialPatience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	defer stop()
	var d net.Dialer
	n, err := d.DialContext(dial, m.network, address)
	switch {
	case refused(err) && m.network == "tcp":
		return nil, a, fmt.Errorf("nobody listens: %w: %w", fs.ErrNotExist, err)
	case err != nil:
		return nil, a, silence(err)
	}
	c = n.(conn)
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
			c = nil
		}
	}()
	if err := n.SetDeadline(time.Now().Add(helloLimit)); err != nil {
		return c, a, err
	}
	intime := context.AfterFunc(dial, func() { _ = n.SetDeadline(past) })
	defer intime()
	// A producer that refuses may do so before it has read anything.
	_, werr := c.Write(h.bytes())
	var r io.Reader = c
	if m.most > 0 {
		r = &packets{r: c}
	}
	if a, err = readAnswer(r); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF || severed(err) {
			err = errors.Join(fmt.Errorf("%w during the handshake: %w", ErrProducerDied, err), werr)
		}
		return c, a, silence(err)
	}
	if !intime() {
		return c, a, silence(os.ErrDeadlineExceeded)
	}
	return c, a, n.SetDeadline(time.Time{})
}

// packets reads a stream from packets, of which a short read would lose the
// rest.
type packets struct {
	r    io.Reader
	buf  [mostPacket]byte
	rest []byte
}

func (p *packets) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		n, err := toTheEnd(func() (int, error) { return p.r.Read(p.buf[:]) })
		if err != nil {
			return 0, err
		}
		p.rest = p.buf[:n]
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (m socketMedium) inspect(t target) (Stats, error) {
	c, a, err := m.ask(context.Background(), t.name, newHello(wishStatistic, ConsumerConfig{}))
	if err != nil {
		return Stats{}, fmt.Errorf("%s: %w", t.url, err)
	}
	defer c.Close()
	st, err := parseStatistics(a)
	if err != nil {
		return Stats{}, fmt.Errorf("%s: %w", t.url, err)
	}
	return st, nil
}

// checkHostPort takes "//HOST:PORT".
func checkHostPort(rest string) (string, error) {
	address, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return "", errors.New("found no // behind the scheme")
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		if a, ok := errors.AsType[*net.AddrError](err); ok {
			err = errors.New(a.Err)
		}
		return "", fmt.Errorf("found no host and port: %w", err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("a port is a number from 1 to 65535, found %q", shorten(port))
	}
	return address, nil
}

// held says who listens at an address.
func (m socketMedium) held(address string) error {
	st, err := m.inspect(target{url: m.network + " socket", name: address})
	if err != nil {
		return fmt.Errorf("%w: somebody listens at %s: %w", ErrProducerLive, address, err)
	}
	return fmt.Errorf("%w: %s is held by %s", ErrProducerLive, address, st.Producer.Owner)
}

// Errors of sockets; the numbers are those of Windows.

func inUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.Errno(10048))
}

func refused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.Errno(10061))
}

// missing tells whether a kind of socket does not exist on this system.
func missing(err error) bool {
	var unknown net.UnknownNetworkError
	return errors.As(err, &unknown) || errors.Is(err, syscall.EPROTONOSUPPORT) ||
		errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.Errno(10044))
}

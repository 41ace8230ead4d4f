// Package transport is one pair of interfaces, [Producer] and [Consumer], over
// every medium that carries frames, chosen by a URL:
//
//	shm://NAME      ring in /dev/shm, removed by a producer that closes
//	file:///PATH    ring in a mapped file, stays
//	memfd:///PATH   sealed ring that its producer hands out at a socket, removed likewise
//	log:///DIR      append-only segment files of frames: unbounded, replayable, stays
//	mq://NAME       message queue of the kernel (Linux), whose consumers share the records
//	udp://HOST:PORT datagrams to the address that a consumer binds; lossy
//	pipe:           standard output to standard input ([CreatePipe], [OpenPipe] for others)
//	fifo:///PATH    named pipe, removed by a producer that made it and closes
//	unix:///PATH    stream socket at which the producer serves, unixpacket:///PATH likewise
//	tcp://HOST:PORT the same over TCP, without encryption and authentication
//	auto://NAME     the best of shm, file and fifo that works here ([Chosen])
//
// NAME is 1 to 200 of A-Za-z0-9._- and does not start with a dot. PATH is
// absolute and taken as it stands: no escapes, no query.
//
// A producer makes what the URL names, or takes over what an earlier one left:
//
//	p, err := transport.Create("shm://ticks", transport.ProducerConfig{})
//	buf, err := p.Reserve(ctx, transport.Header{}, n)
//	err = p.Commit()
//
// A consumer waits, as long as its context allows, for a producer that lives:
//
//	c, err := transport.Open(ctx, "shm://ticks", transport.ConsumerConfig{Policy: transport.Lossy})
//	rec, err := c.Next(ctx)
//	err = c.Release()
//
// Package ring has more (Records, Read, Write, Stream, Invite, rings in one's
// own memory), and knows no URLs; its Open and Dial do not wait for a producer.
//
// What a medium promises (reliable, lossy or deadline consumers, exact loss,
// the death of a producer) is what package ring promises; the errors are those
// of package ring, under the same names here. docs/media.md says where a medium
// cannot promise it.
//
// # Streams
//
// Whatever is no shared memory is a stream of frames. Behind it is a ring in the
// producer's memory (cast.go), on which each consumer elsewhere has a place that
// is kept by a goroutine (sender.go): so credit, policies, losses and evictions
// are the ring's, and what is sent is the ring's own bytes. A server (server.go)
// lets consumers in by a handshake (hello.go) and hears what they have released
// (acks.go); at a pipe, and a FIFO, there is one, of which nothing is heard. A
// consumer (stream_consumer.go) shows records where they were read to
// (window.go), and waits in the runtime's poller (wire.go), not in a thread.
package transport

import (
	"context"
	"io/fs"
	"time"

	"github.com/carousel-ipc/carousel/ring"
)

// ProducerConfig is what Create needs besides the URL. Zero values are the
// medium's defaults.
type ProducerConfig struct {
	// Capacity in bytes, a power of two. 0: what exists already, or the
	// medium's default; any other value must agree with what exists.
	Capacity int
	// Rendezvous is capacity zero: each Commit returns only when every consumer
	// that gates has released, under the context of the Reserve before it.
	Rendezvous bool
	// MaxRecord is the largest payload of one record in bytes. 0: the default
	// for the capacity.
	MaxRecord int
	// Slots is how many consumers may be attached at once. 0: the default.
	Slots int
	// Checksum puts a CRC32C on every frame.
	Checksum bool
	// Perm is the mode of the files that are made; owner bits only. 0: 0o600.
	Perm fs.FileMode
	// Users are the ids of users whose consumers are admitted to a memfd ring,
	// besides our own.
	Users []uint32
	// Patience is how long a consumer of another user may hold the producer of
	// a memfd ring up. 0: not at all, it has to be lossy; negative: for as long
	// as its policy says.
	Patience time.Duration
	// Wait is how the producer waits for credit.
	Wait Wait
	// Label tells people who the producer is. "": the name of the program.
	Label string
	// Notice, if not nil, is called by Create with what people should know and
	// what is no error: what was found and how it was dealt with.
	Notice func(text string)

	// Of log: alone. Segment is the size in bytes at which another segment
	// begins, 0: 64 MiB; what Retain and Sync are by default is said there.
	Segment int64
	Retain  Retention
	Sync    Syncing
}

// ConsumerConfig is what Open needs besides the URL. The zero value is a
// reliable, adaptive consumer that begins with the next record.
type ConsumerConfig struct {
	// Name is for people: at most MaxName bytes of valid UTF-8. "": the name
	// of the program and its pid.
	Name string
	// Policy decides what happens when the consumer falls a lap behind. Where
	// consumers cannot gate the producer, all are lossy.
	Policy Policy
	// From is the record it begins with.
	From Start
	// Wait is how it waits for records.
	Wait Wait
	// Types, when not empty, are the record types that it is shown.
	Types []uint16
	// Since, of log: alone, when not zero, replaces From: the log is read from
	// what was committed at that time of the wall clock on, and up to some
	// 100 ms before.
	Since time.Time
}

func (cfg ConsumerConfig) ring() ring.ConsumerConfig {
	return ring.ConsumerConfig{Name: cfg.Name, Policy: cfg.Policy, From: cfg.From, Wait: cfg.Wait, Types: cfg.Types}
}

// Create makes the medium that url names, or opens what is there, and becomes
// its producer. Errors are [ErrURL], [ErrProducerLive], [ErrGeometry] and
// whatever else the medium refuses.
func Create(url string, cfg ProducerConfig) (Producer, error) {
	t, err := parse(url)
	if err != nil {
		return nil, err
	}
	if err := cfg.keeps(t); err != nil {
		return nil, err
	}
	return t.scheme.create(t, cfg)
}

// Open joins what url names as a consumer. While there is nothing to read it
// looks again every few milliseconds until ctx ends; the error then is
// [ErrNoProducer] and the context's, and says what the last look found.
//
// A producer that lives makes a medium readable. Where cfg.From asks for what
// was kept (Oldest, Sequence), so does what a dead producer left, and, for
// media that persist, what one left that ended.
func Open(ctx context.Context, url string, cfg ConsumerConfig) (Consumer, error) {
	t, err := parse(url)
	if err != nil {
		return nil, err
	}
	if err := cfg.keeps(t); err != nil {
		return nil, err
	}
	return t.scheme.open(ctx, t, cfg)
}

// Inspect looks at what url names without taking a role in it. Any goroutine
// may call it at any time, beside a producer or consumer of the same URL.
func Inspect(url string) (Stats, error) {
	t, err := parse(url)
	if err != nil {
		return Stats{}, err
	}
	return t.scheme.inspect(t)
}

// Medium is the scheme of url, such as "shm", for a URL that Create and Open
// would take; else the error, [ErrURL], that they would return.
func Medium(url string) (string, error) {
	t, err := parse(url)
	if err != nil {
		return "", err
	}
	return t.scheme.name, nil
}

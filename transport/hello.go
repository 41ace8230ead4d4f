package transport

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/carousel-ipc/carousel/ring"
)

// What is said at a socket before the stream. The consumer says hello, the
// producer answers; after an answer that grants a place come the preamble and
// frames, and in the other direction acknowledgements.
//
//	hello   magic 8 | version 4 | wish 4 | must-understand 4 | may-ignore 4 | policy 4 | start 4 | deadline 8 | sequence 8 | name length 4 | zero 4 | name 48
//	answer  magic 8 | version 4 | code 4 | must-understand 4 | may-ignore 4 | acknowledge 4 | text length 4 | capacity 8 | largest record 8 | text
const (
	helloMagic    = 0x314f4c4c45485243  // "CRHELLO1" as bytes
	answerMagic   = 0x31525753_4e415243 // "CRANSWR1" as bytes
	helloVersion  = 1
	helloSize     = 56 + MaxName
	answerSize    = 48
	mostAnswer    = 4 << 20 // text: statistics of all slots fit
	wishStream    = 1
	wishStatistic = 2
)

// codes of answers.
const (
	codeOK uint32 = iota
	codeNoSlot
	codeVersion
	codeConfig
	codeEnded
)

// causeOf is what the error of a refusal is.
func causeOf(code uint32) error {
	switch code {
	case codeNoSlot:
		return ErrNoSlot
	case codeVersion:
		return ErrFormat
	case codeConfig:
		return ErrConfig
	case codeEnded:
		return ErrRemoved
	}
	return fmt.Errorf("%w (code %d)", ErrRefused, code)
}

// policies and starts by number.
const (
	policyReliable uint32 = iota
	policyDeadline
	policyLossy
)

const (
	startLatest uint32 = iota
	startOldest
	startSequence
)

type hello struct {
	version, wish, must uint32
	policy, start       uint32
	deadline, sequence  uint64
	name                string
}

func newHello(wish uint32, cfg ConsumerConfig) hello {
	h := hello{version: helloVersion, wish: wish, name: cfg.Name}
	switch {
	case cfg.Policy == Lossy:
		h.policy = policyLossy
	case cfg.Policy != Reliable:
		h.policy, h.deadline = policyDeadline, uint64(cfg.Policy.Limit())
	}
	if n, ok := cfg.From.Number(); ok {
		h.start, h.sequence = startSequence, n
	} else if cfg.From == Oldest {
		h.start = startOldest
	}
	return h
}

func (h hello) bytes() []byte {
	b := make([]byte, 0, helloSize)
	b = binary.LittleEndian.AppendUint64(b, helloMagic)
	for _, v := range []uint32{h.version, h.wish, h.must, 0, h.policy, h.start} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	b = binary.LittleEndian.AppendUint64(b, h.deadline)
	b = binary.LittleEndian.AppendUint64(b, h.sequence)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(h.name)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	return append(b, h.name...)[:helloSize]
}

// readHello refuses only what is no hello at all; check judges the rest, so
// that the answer can say why.
func readHello(r io.Reader) (h hello, err error) {
	var b [helloSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return h, err
	}
	if m := binary.LittleEndian.Uint64(b[:]); m != helloMagic {
		return h, fmt.Errorf("%w: magic %q, want %q", ErrFormat, b[:8], hello{}.bytes()[:8])
	}
	for i, v := range []*uint32{&h.version, &h.wish, &h.must, nil, &h.policy, &h.start} {
		if v != nil {
			*v = binary.LittleEndian.Uint32(b[8+4*i:])
		}
	}
	h.deadline = binary.LittleEndian.Uint64(b[32:])
	h.sequence = binary.LittleEndian.Uint64(b[40:])
	n := min(binary.LittleEndian.Uint32(b[48:]), MaxName)
	h.name = string(b[56 : 56+n])
	return h, nil
}

// check is nil if this build can do what is asked; the error comes with the
// code of the answer.
func (h hello) check() (uint32, error) {
	switch {
	case h.version != helloVersion:
		return codeVersion, fmt.Errorf("%w: handshake version %d, want %d", ErrFormat, h.version, helloVersion)
	case h.must != 0:
		return codeVersion, fmt.Errorf("%w: features that have to be understood %#x, want none", ErrFormat, h.must)
	case h.wish != wishStream && h.wish != wishStatistic:
		return codeVersion, fmt.Errorf("%w: wish %d, want %d or %d", ErrFormat, h.wish, wishStream, wishStatistic)
	case h.policy > policyLossy || h.start > startSequence:
		return codeConfig, fmt.Errorf("%w: policy %d and start %d, want 0 to 2", ErrConfig, h.policy, h.start)
	case h.policy == policyDeadline && (h.deadline == 0 || h.deadline > uint64(1<<63-1)):
		return codeConfig, fmt.Errorf("%w: deadline of %d ns, want more than 0", ErrConfig, h.deadline)
	case !utf8.ValidString(h.name):
		return codeConfig, fmt.Errorf("%w: name %q, want UTF-8", ErrConfig, h.name)
	}
	return codeOK, nil
}

// config is the place on the ring that is asked for. The consumer filters by
// type itself.
func (h hello) config() ring.ConsumerConfig {
	cfg := ring.ConsumerConfig{Name: h.name}
	switch h.policy {
	case policyLossy:
		cfg.Policy = Lossy
	case policyDeadline:
		cfg.Policy = Deadline(time.Duration(h.deadline))
	}
	switch h.start {
	case startOldest:
		cfg.From = Oldest
	case startSequence:
		cfg.From = Sequence(h.sequence)
	}
	return cfg
}

type answer struct {
	version, code, must uint32
	every               uint32 // acknowledge after so many bytes at once
	capacity, most      uint64
	text                string // why not, or statistics
}

func (a answer) bytes() []byte {
	b := make([]byte, 0, answerSize+len(a.text))
	b = binary.LittleEndian.AppendUint64(b, answerMagic)
	for _, v := range []uint32{a.version, a.code, a.must, 0, a.every, uint32(len(a.text))} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	b = binary.LittleEndian.AppendUint64(b, a.capacity)
	b = binary.LittleEndian.AppendUint64(b, a.most)
	return append(b, a.text...)
}

// readAnswer reads an answer and judges it: the error of a refusal says why.
func readAnswer(r io.Reader) (a answer, err error) {
	var b [answerSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return a, err
	}
	if m := binary.LittleEndian.Uint64(b[:]); m != answerMagic {
		return a, fmt.Errorf("%w: magic %q, want %q", ErrFormat, b[:8], answer{}.bytes()[:8])
	}
	var length uint32
	for i, v := range []*uint32{&a.version, &a.code, &a.must, nil, &a.every, &length} {
		if v != nil {
			*v = binary.LittleEndian.Uint32(b[8+4*i:])
		}
	}
	a.capacity = binary.LittleEndian.Uint64(b[32:])
	a.most = binary.LittleEndian.Uint64(b[40:])
	if length > mostAnswer {
		return a, fmt.Errorf("%w: answer with a text of %d bytes, want at most %d", ErrFormat, length, mostAnswer)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return a, err
	}
	a.text = string(text)
	switch {
	case a.version != helloVersion:
		return a, fmt.Errorf("%w: handshake version %d, want %d (%s)", ErrFormat, a.version, helloVersion, a.text)
	case a.must != 0:
		return a, fmt.Errorf("%w: features that have to be understood %#x, want none", ErrFormat, a.must)
	case a.code != codeOK:
		return a, fmt.Errorf("%w: the producer says: %s", causeOf(a.code), a.text)
	case a.most > MaxCapacity/2 || a.capacity > MaxCapacity:
		return a, fmt.Errorf("%w: records of up to %d bytes in a ring of %d, want a capacity of at most %d", ErrFormat, a.most, a.capacity, uint64(MaxCapacity))
	}
	return a, nil
}

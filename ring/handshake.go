package ring

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

// What is said at the socket of a served ring. The consumer says hello, the
// producer answers with an offer or a refusal, and hands over the descriptors
// with the first byte of an offer. After an offer of a place the connection
// carries one byte each way, join and joined, and then nothing more: its end is
// the message.
//
//	hello  magic 8 | version 4 | wish 4 | must-understand 4 | may-ignore 4 | zero 8
//	reply  magic 8 | version 4 | code 4 | must-understand 4 | flags 4 | slot 4 | text length 4 | size 8 | patience 8 | creation 16 | text
//
// Patience is how long the consumer may hold the producer up, in nanoseconds:
// 0 for not at all, negative for as long as its policy says.
//
// Name and policy of the consumer stand in its slot, as in every ring.
const (
	helloMagic       = 0x314c485353524143 // "CARSSHL1" as bytes
	replyMagic       = 0x3150525353524143 // "CARSSRP1" as bytes
	handshakeVersion = 1

	helloSize = 32
	replySize = 64
	mostText  = 4 << 20 // statistics of all slots fit

	sayJoin   = 'j'
	sayJoined = 'J'
)

// wish is what a client comes for.
type wish uint32

const (
	wishPlace      wish = 1 // memory, and a slot in it
	wishStatistics wish = 2 // text: Stats as JSON
)

// code is the answer.
type code uint32

const (
	codeOK code = iota
	codeUser
	codeNoSlot
	codeVersion
	codeEnded
)

// flagManyUsers: consumers of other users are admitted.
const flagManyUsers = 1

// cause is what the error of a refusal is.
func (c code) cause() error {
	switch c {
	case codeUser:
		return fmt.Errorf("%w: %w", ErrRefused, fs.ErrPermission)
	case codeNoSlot:
		return ErrNoSlot
	case codeVersion:
		return ErrFormat
	case codeEnded:
		return ErrRemoved
	}
	return fmt.Errorf("%w (code %d)", ErrRefused, c)
}

type hello struct {
	version uint32
	wish    wish
	must    uint32
}

func (h hello) bytes() []byte {
	b := make([]byte, 0, helloSize)
	b = binary.LittleEndian.AppendUint64(b, helloMagic)
	b = binary.LittleEndian.AppendUint32(b, h.version)
	b = binary.LittleEndian.AppendUint32(b, uint32(h.wish))
	b = binary.LittleEndian.AppendUint32(b, h.must)
	return b[:helloSize]
}

func readHello(r io.Reader) (h hello, err error) {
	var b [helloSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return h, err
	}
	if m := binary.LittleEndian.Uint64(b[:]); m != helloMagic {
		return h, fmt.Errorf("%w: magic %q, want %q", ErrFormat, b[:8], hello{}.bytes()[:8])
	}
	h.version = binary.LittleEndian.Uint32(b[8:])
	h.wish = wish(binary.LittleEndian.Uint32(b[12:]))
	h.must = binary.LittleEndian.Uint32(b[16:])
	return h, nil
}

// check is nil if this build can do what is asked.
func (h hello) check() error {
	switch {
	case h.version != handshakeVersion:
		return fmt.Errorf("handshake version %d, want %d", h.version, handshakeVersion)
	case h.must != 0:
		return fmt.Errorf("features that have to be understood %#x, want none", h.must)
	case h.wish != wishPlace && h.wish != wishStatistics:
		return fmt.Errorf("wish %d, want %d or %d", h.wish, wishPlace, wishStatistics)
	}
	return nil
}

type reply struct {
	code     code
	flags    uint32
	slot     uint32
	size     uint64 // of the broadcast segment
	patience time.Duration
	id       creationID
	text     string // of a refusal, or statistics
}

func (r reply) bytes() []byte {
	b := make([]byte, 0, replySize+len(r.text))
	b = binary.LittleEndian.AppendUint64(b, replyMagic)
	b = binary.LittleEndian.AppendUint32(b, handshakeVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(r.code))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, r.flags)
	b = binary.LittleEndian.AppendUint32(b, r.slot)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.text)))
	b = binary.LittleEndian.AppendUint64(b, r.size)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.patience))
	b = append(b, r.id[:]...)
	return append(b, r.text...)
}

// readReply reads a reply and what was handed over with it. The error of a
// refusal says why.
func readReply(c *net.UnixConn, descriptors int) (r reply, files []*os.File, err error) {
	var b [replySize]byte
	n, files, err := shm.Receive(c, b[:], descriptors)
	defer func() {
		if err != nil {
			shm.Discard(files...)
			files = nil
		}
	}()
	if err != nil {
		return r, nil, err
	}
	if n == 0 {
		return r, files, io.ErrUnexpectedEOF
	}
	if _, err := io.ReadFull(bare{c}, b[n:]); err != nil {
		return r, files, err
	}
	u32 := func(off int) uint32 { return binary.LittleEndian.Uint32(b[off:]) }
	if m := binary.LittleEndian.Uint64(b[:]); m != replyMagic {
		return r, files, fmt.Errorf("%w: magic of the reply %q, want %q", ErrFormat, b[:8], reply{}.bytes()[:8])
	}
	if v := u32(8); v != handshakeVersion {
		return r, files, fmt.Errorf("%w: handshake version %d, want %d", ErrFormat, v, handshakeVersion)
	}
	if must := u32(16); must != 0 {
		return r, files, fmt.Errorf("%w: features that have to be understood %#x, want none", ErrFormat, must)
	}
	length := u32(28)
	if length > mostText {
		return r, files, fmt.Errorf("%w: text of %d bytes in the reply, want at most %d", ErrFormat, length, mostText)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(bare{c}, text); err != nil {
		return r, files, err
	}
	r = reply{
		code: code(u32(12)), flags: u32(20), slot: u32(24), size: binary.LittleEndian.Uint64(b[32:]),
		patience: time.Duration(binary.LittleEndian.Uint64(b[40:])), id: creationID(b[48:64]), text: string(text),
	}
	if r.code != codeOK {
		return r, files, fmt.Errorf("%w: %s", r.code.cause(), printable(text[:min(len(text), 300)]))
	}
	if len(files) != descriptors {
		return r, files, fmt.Errorf("%w: %d descriptors with the offer, want %d", ErrFormat, len(files), descriptors)
	}
	return r, files, nil
}

// bare is a connection with which no descriptors come any more: whoever sends
// some is refused, and the read not held up by them.
type bare struct{ *net.UnixConn }

func (c bare) Read(b []byte) (int, error) {
	n, _, err := shm.Receive(c.UnixConn, b, 0)
	if err != nil {
		return 0, err // bytes with descriptors do not count
	}
	return n, nil
}

// hangUp closes c. The other side is told at once. The rest may take as long
// as that one likes, which may have left descriptors in it, and is not waited
// for.
func hangUp(c *net.UnixConn) {
	_ = c.CloseWrite()
	_ = c.CloseRead()
	go c.Close()
}

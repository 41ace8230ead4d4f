package cli

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/transport"
)

// A sink is what becomes of records. It takes them as they are viewed; what it
// took since the last keep or drop is provisional until the ring has told
// whether it was whole.
type sink interface {
	// take copies what it needs of rec, and tells whether a record is complete
	// with it: the parts of a chain are one.
	take(rec transport.Record) (bool, error)
	// keep: what was taken was whole. drop: it was not, and is lost.
	keep() error
	drop()
	// idle: nothing more comes for now. What was kept has to go out.
	idle() error
	// seam: records are missing here, or another stream goes on.
	seam()
	// end is the last call. clean: the stream ended in good order, and seq is
	// the sequence that would have followed.
	end(clean bool, epoch, seq uint64) error
}

// errChain: records came in parts, and not all parts came.
var errChain = errors.New("chain of records cut off")

// maxJoined is how long a record that came in parts may get in memory, in
// bytes.
const maxJoined = 256 << 20

// text writes records to standard output. Of a record that comes in parts it
// writes nothing before it is whole, except with -split all, where the whole
// may be larger than memory, and -split frames, where the parts are the text.
type text struct {
	ctx context.Context // ends a wait for standard output
	how splitting
	out *output

	ready []byte // goes out next; ready[:kept] is certain
	kept  int

	part []byte // of a chain, joined so far
	open bool   // a chain has begun, and all of it so far was taken
	// keptOpen is open as it was at the last keep.
	keptOpen bool
	cut      bool // a chain was not whole
	broken   bool // and some of it may have gone out

	epoch      func() uint64
	opened     bool // frames: the preamble has been written
	keptOpened bool
}

func newText(ctx context.Context, how splitting, out *output, epoch func() uint64) *text {
	return &text{ctx: ctx, how: how, out: out, epoch: epoch}
}

func (t *text) take(rec transport.Record) (bool, error) {
	if t.ready == nil {
		b, err := t.out.buffer(t.ctx)
		if err != nil {
			return false, err
		}
		t.ready = b
	}
	if t.how == splitFrames {
		if !t.opened {
			t.preamble(t.epoch(), rec.Sequence)
		}
		t.ready = frame.Append(t.ready, rec)
		return true, nil
	}
	more, cont := rec.Flags()&frame.More != 0, rec.Flags()&frame.Cont != 0
	if cont && !t.open {
		t.cut = true // its beginning is missing
		return false, nil
	}
	if !cont && t.open {
		t.abandon() // its end is missing
	}
	t.open = more
	switch {
	case t.how == splitAll:
		t.ready = append(t.ready, rec.Payload()...)
	case !more && !cont:
		t.put(rec.Payload())
	default:
		if !cont {
			t.part = t.part[:0]
		}
		if len(t.part)+len(rec.Payload()) > maxJoined {
			return false, fmt.Errorf("%w: a record that comes in parts has more than %v: use -split all", errRecordTooLong, size(maxJoined))
		}
		t.part = append(t.part, rec.Payload()...)
		if !more {
			t.put(t.part)
		}
	}
	return !more, nil
}

// put writes one whole record with what marks it off.
func (t *text) put(rec []byte) {
	switch t.how {
	case splitLen32:
		t.ready = binary.LittleEndian.AppendUint32(t.ready, uint32(len(rec)))
		t.ready = append(t.ready, rec...)
	case splitNul:
		t.ready = append(append(t.ready, rec...), 0)
	default:
		t.ready = append(append(t.ready, rec...), '\n')
	}
}

// abandon forgets a chain of which a part is missing.
func (t *text) abandon() {
	t.open, t.cut = false, true
	t.broken = t.broken || t.how == splitAll
}

func (t *text) keep() error {
	t.kept, t.keptOpen, t.keptOpened = len(t.ready), t.open, t.opened
	if t.kept < outputSize/2 {
		return nil
	}
	return t.idle()
}

func (t *text) drop() {
	t.ready, t.open, t.opened = t.ready[:t.kept], t.keptOpen, t.keptOpened
	t.seam()
}

func (t *text) seam() {
	if t.open {
		t.abandon()
	}
	t.keptOpen = false
}

func (t *text) idle() error {
	if t.kept == 0 {
		return nil
	}
	b := t.ready
	t.ready, t.kept = nil, 0
	return t.out.write(t.ctx, b)
}

// preamble opens a stream of frames that begins with record seq.
func (t *text) preamble(epoch, seq uint64) {
	t.ready = frame.Preamble{Epoch: epoch, First: seq}.Append(t.ready)
	t.opened = true
}

func (t *text) end(clean bool, epoch, seq uint64) error {
	t.seam()
	if clean && t.how == splitFrames {
		if !t.opened {
			t.preamble(epoch, seq)
		}
		eos := frame.NewRecord(seq, 0, frame.EOS, binary.LittleEndian.AppendUint64(nil, epoch))
		t.ready = frame.Append(t.ready, eos)
		t.kept = len(t.ready)
	}
	err := t.idle()
	if err = errors.Join(err, t.out.close(t.ctx)); err == nil && t.broken {
		err = fmt.Errorf("%w: what was written is not all of it", errChain)
	}
	return err
}

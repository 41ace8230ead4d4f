package cli

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/carousel-ipc/carousel/frame"
	"github.com/carousel-ipc/carousel/transport"
)

// errRecordTooLong: the input holds a record that the ring cannot.
var errRecordTooLong = errors.New("record too long")

// errCutOff: the input ended within a record.
var errCutOff = errors.New("input cut off")

// largestPiece of a record that is chained, in bytes. Larger ones save nothing.
const largestPiece = 1 << 20

// publishInput cuts what r yields into records until it ends, which is no
// error, and commits everything that was complete before whatever error.
func publishInput(r io.Reader, how splitting, w *publisher) error {
	size, whole := blockSize, false
	if how == splitAll {
		size, whole = min(w.max, largestPiece), true
	}
	in := newInput(w.ctx, r, size, whole, w.flush)
	defer in.close()
	var err error
	switch how {
	case splitNul:
		err = publishDelimited(in, 0, w)
	case splitLen32:
		err = publishLen32(in, w)
	case splitAll:
		err = publishPieces(in, w)
	case splitFrames:
		err = publishFrames(in, w)
	default:
		err = publishDelimited(in, '\n', w)
	}
	return errors.Join(err, w.flush())
}

// publishDelimited: records end with the delimiter, the last one perhaps
// without.
func publishDelimited(in *input, delimiter byte, w *publisher) error {
	var part []byte // of a record whose end has not been read
	for {
		if err := in.fill(); err == io.EOF && len(part) > 0 {
			return w.add(w.header, part)
		} else if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		i := bytes.IndexByte(in.rest, delimiter)
		n := i
		if i < 0 {
			n = len(in.rest)
		}
		if len(part)+n > w.max {
			return tooLongDelimited(in, delimiter, len(part), w)
		}
		if i < 0 {
			part = append(part, in.rest...)
			in.rest = nil
			continue
		}
		record := in.rest[:i]
		if len(part) > 0 {
			part = append(part, record...)
			record = part
		}
		if err := w.add(w.header, record); err != nil {
			return err
		}
		in.rest, part = in.rest[i+1:], part[:0]
	}
}

// tooLongDelimited reads on, not for ever, to tell how long the record is of
// which length bytes have been read.
func tooLongDelimited(in *input, delimiter byte, length int, w *publisher) error {
	if err := w.flush(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(in.ctx, time.Second)
	defer cancel()
	in.ctx = ctx
	atLeast := "at least "
	for {
		if i := bytes.IndexByte(in.rest, delimiter); i >= 0 {
			length, atLeast = length+i, ""
			break
		}
		length += len(in.rest)
		in.rest = nil
		if err := in.fill(); err == io.EOF {
			atLeast = ""
			break
		} else if err != nil {
			break
		}
	}
	return fmt.Errorf("%w: record %d has %s%d bytes, the ring takes at most %d: give a larger -capacity",
		errRecordTooLong, w.number(), atLeast, length, w.max)
}

// publishLen32: before each record its length, u32 little-endian.
func publishLen32(in *input, w *publisher) error {
	for {
		var head [4]byte
		if n, err := in.copy(head[:]); err == io.EOF && n == 0 {
			return nil
		} else if err == io.EOF {
			return fmt.Errorf("%w: record %d: want 4 bytes of length, found %d", errCutOff, w.number(), n)
		} else if err != nil {
			return err
		}
		length := binary.LittleEndian.Uint32(head[:])
		if uint64(length) > uint64(w.max) {
			return fmt.Errorf("%w: record %d has %d bytes, the ring takes at most %d: give a larger -capacity",
				errRecordTooLong, w.number(), length, w.max)
		}
		n := int(length)
		if n <= len(in.rest) {
			if err := w.add(w.header, in.rest[:n]); err != nil {
				return err
			}
			in.rest = in.rest[n:]
			continue
		}
		// It comes piece by piece, perhaps slowly: straight into its place,
		// and what is staged before it must not wait.
		if err := w.flush(); err != nil {
			return err
		}
		buf, err := w.reserve(w.header, n)
		if err != nil {
			return err
		}
		if got, err := in.copy(buf); err != nil {
			w.abort()
			if err == io.EOF {
				return fmt.Errorf("%w: record %d: want %d bytes, found %d", errCutOff, w.number(), n, got)
			}
			return err
		}
		if err := w.done(); err != nil {
			return err
		}
	}
}

// publishPieces: the whole input is one record, published in pieces as large
// as the blocks of in. Whether a piece is the last shows only when the next block
// has come or not, so it is one block behind.
func publishPieces(in *input, w *publisher) error {
	h := w.header
	var piece []byte
	for {
		next, err := in.take()
		if err != nil && err != io.EOF {
			return err
		}
		if piece != nil {
			h.More = next != nil
			if err := w.add(h, piece); err != nil {
				return err
			}
			in.give(piece)
			h.Continues = true
		}
		if piece = next; piece == nil {
			return nil
		}
	}
}

// publishFrames: a stream of frames, of which payload, type and chains are
// kept, and sequences are new.
func publishFrames(in *input, w *publisher) error {
	if err := in.fill(); err == io.EOF {
		return nil // nothing at all is an empty stream
	} else if err != nil {
		return err
	}
	frames := frame.NewReader(in, w.max)
	for {
		r, err := frames.Next()
		if err == io.EOF {
			return nil
		}
		if errors.Is(err, frame.ErrTooLarge) {
			return fmt.Errorf("%w: record %d: %w", errRecordTooLong, w.number(), err)
		}
		if err != nil {
			return fmt.Errorf("record %d: %w", w.number(), err)
		}
		if !r.Counts() {
			continue
		}
		h := transport.Header{
			Type:      r.Type(),
			More:      r.Flags()&frame.More != 0,
			Continues: r.Flags()&frame.Cont != 0,
		}
		if err := w.add(h, r.Payload()); err != nil {
			return err
		}
	}
}

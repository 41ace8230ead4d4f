// Package frame encodes, decodes and validates frames: the form a record has
// in a ring, a file, a pipe, a socket and a kernel queue alike. No other
// package knows the byte layout of a record.
//
//	0                               8               12      14      16
//	+-------------------------------+---------------+-------+-------+
//	| sequence, u64                 | length, u32   | type  | flags |
//	+-------------------------------+---------------+-------+-------+
//	| payload: length bytes                                         |
//	+---------------------------------------------------------------+
//	| zeros to a multiple of 4, then the CRC32C   (only with [CRC]) |
//	+---------------------------------------------------------------+
//	| zeros to a multiple of 16                                     |
//	+---------------------------------------------------------------+
//
// All numbers are little-endian. Since every frame starts and ends at a
// multiple of 16 bytes, a header never straddles a cache line, and wherever a
// frame ends there is room for the next header.
//
// # Sequence
//
// The sequence numbers the records of a stream from 1. In a ring it is also
// the commit word: stored last, and 0 as long as the rest of the frame is not
// there. [Decode] therefore refuses a frame whose sequence is 0, and so a run
// of zeros (a preallocated file, a hole left by a power cut) is never taken
// for a run of empty records.
//
// Fillers ([Pad]) and the end of a stream ([EOS]) carry the sequence of the
// record that will follow without consuming it: see [Meta.Counts].
//
// # Meta
//
// The second word of the header, loaded at once, is a [Meta]. Whoever reads
// memory that another process may write loads that word once, validates the
// copy by [Meta.Check], and uses nothing but the copy from then on.
//
// # Flags
//
// The lower byte holds flags that a reader may ignore without harm if it does
// not know them; the upper byte, [MustUnderstand], holds those that change
// the meaning of the frame, and a reader refuses every one it does not know.
// No flag of the upper byte is defined yet.
//
// A record too large for one frame becomes a chain: each frame but the last
// has [More], each but the first has [Cont], and each consumes a sequence.
//
// # Streams
//
// Outside a ring, frames form a stream, which begins with a [Preamble] of 32
// bytes; frames have no version of their own. [Writer] and [Reader] handle
// streams; [Append] and [Decode] handle one frame in a slice; [Seal] and
// [Verify] handle the part after the payload for those who, as the ring does,
// write header words themselves.
package frame

package frame

// Peek decodes the header at the start of b and checks it as [Decode] does,
// without a look at what follows: the frame takes m.Size() bytes. Errors are
// those of Decode for a header.
func Peek(b []byte, maxPayload int) (seq uint64, m Meta, err error) {
	if len(b) < HeaderSize {
		return 0, 0, short("header", HeaderSize, len(b))
	}
	seq, m = header(b)
	return seq, m, checkHeader(seq, m, maxPayload)
}

package frame

// Length returns how many bytes the frame takes whose header is at the start of
// b: what has to be there before [Decode] can decode it. Errors are those that
// Decode finds in a header.
func Length(b []byte, maxPayload int) (int, error) {
	if len(b) < HeaderSize {
		return 0, short("header", HeaderSize, len(b))
	}
	seq, m := header(b)
	if err := checkHeader(seq, m, maxPayload); err != nil {
		return 0, err
	}
	return m.Size(), nil
}

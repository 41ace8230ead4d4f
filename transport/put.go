package transport

// leastSplice is how many bytes are dearer to copy than to refer to by their
// pages. Tests refer to fewer.
var leastSplice = 16 << 10

// put gives the kernel b: all of it, or without waiting as much as there is
// room for. It refers to the bytes where that pays and they will stay as they
// are: in the place of a consumer that gates until it says what it has read.
// Otherwise it copies them.
func (s *sender) put(b []byte, wait bool) (n int, err error) {
	defer func() { s.sent.Add(uint64(n)) }()
	if s.splices(b) {
		if n, err = s.splicer.put(s.raw, b, wait); err == nil {
			return n, nil
		}
		s.unsplice() // if it is the connection, a write will say so
		b = b[n:]
	}
	if wait {
		if err = writeParts(s.out, b, s.how.most); err == nil {
			n += len(b)
		}
		return n, err
	}
	return n + s.offered(b), nil
}

// splices tells whether b goes by reference.
func (s *sender) splices(b []byte) bool {
	if s.splicer != nil {
		return s.splicer.held > 0 || len(b) >= leastSplice
	}
	if !s.how.splices || s.policy != Reliable || len(b) < leastSplice {
		return false
	}
	var err error
	if s.splicer, err = newSplicer(s.out); err != nil {
		s.how.splices = false
	}
	return err == nil
}

// unsplice has everything copied from now on.
func (s *sender) unsplice() {
	if s.splicer != nil {
		_ = s.splicer.close()
		s.splicer, s.how.splices = nil, false
	}
}

package transport

// A window is what a stream's reader has in memory: bytes that were viewed and
// not given back, bytes that were read and not yet viewed, and room. What is
// viewed never moves and is not written to: when there is no room behind it,
// another buffer takes over what is unread. Memory grows as bytes arrive, to at
// most twice what came of the frame that is being read.
type window struct {
	buf        []byte
	start, end int // buf[start:end] is unread
	held       bool
	retired    []byte // a buffer that holds views still
	spare      []byte // one that does not any more
}

// windowSize is the size of a buffer; leastRoom is what a read should find, so
// that it takes all that a socket has, and a packet whole.
const (
	windowSize = 256 << 10
	leastRoom  = max(64<<10, mostPacket)
)

func (w *window) unread() []byte { return w.buf[w.start:w.end] }

// view moves the first n unread bytes to the user's hands, skip drops them.
func (w *window) view(n int) { w.start += n; w.held = true }
func (w *window) skip(n int) { w.start += n }

// release: nothing is viewed any more.
func (w *window) release() {
	w.held = false
	if w.retired != nil {
		w.spare, w.retired = w.retired, nil
	}
	if w.start == w.end {
		w.start, w.end = 0, 0
	}
}

// room returns memory to read into, when want bytes have to come together.
func (w *window) room(want int) []byte {
	if len(w.buf)-w.start >= want && len(w.buf)-w.end >= leastRoom {
		return w.buf[w.end:]
	}
	unread := w.end - w.start
	size := max(windowSize, len(w.buf))
	if need := max(want, unread+leastRoom); need > size {
		size = max(unread+leastRoom, min(2*size, need))
	}
	if w.held || size > len(w.buf) {
		w.another(size)
	} else {
		copy(w.buf, w.unread())
	}
	w.start, w.end = 0, unread
	return w.buf[w.end:]
}

// another goes on in another buffer, which begins with what is unread.
func (w *window) another(size int) {
	to := w.spare
	if w.spare = nil; len(to) < size {
		to = make([]byte, size)
	}
	copy(to, w.unread())
	if w.held {
		w.retired = w.buf // one retired before is left to the collector
	}
	w.buf = to
}

func (w *window) filled(n int) { w.end += n }

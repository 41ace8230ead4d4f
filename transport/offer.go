package transport

import "errors"

// leastOffer is how many bytes are worth a system call in the middle of a
// commit. Fewer are left to the sender's goroutine, which sends together what
// gathers while it writes.
const leastOffer = 1 << 10

// offer sends, for a sender that sleeps, what has been committed: without
// waiting, and without the way to another goroutine and thread. It reports
// whether there is nothing left for that to do.
func (s *sender) offer() bool {
	if !s.how.offers || !s.asleep.Load() || !s.role.TryLock() {
		return false
	}
	defer s.role.Unlock()
	most := s.runBytes()
	for s.rest == nil {
		b, to, err := s.look(most)
		switch {
		case errors.Is(err, ErrEmpty):
			return true
		case errors.Is(err, ErrOverrun):
			continue // the sequence of the next record tells
		case err != nil:
			return false // it comes again
		}
		if s.till = to; len(b) >= leastOffer {
			n, _ := s.put(b, false)
			b = b[n:]
		}
		if len(b) > 0 {
			s.rest = b
		} else if s.delivered(to) != nil {
			return false
		}
	}
	return false
}

// offered writes as much of b as there is room for.
func (s *sender) offered(b []byte) (sent int) {
	for sent < len(b) {
		part := b[sent:]
		if s.how.most > 0 {
			part = part[:min(len(part), s.how.most)]
		}
		n := offer(s.raw, part)
		if sent += n; n < len(part) {
			break
		}
	}
	return sent
}

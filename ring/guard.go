package ring

import "runtime/debug"

// Guard runs fn and returns its error. While fn runs, a fault of the calling
// goroutine in the memory of a named ring, whose file somebody has truncated,
// is an error that is ErrTruncated and ends fn, instead of a signal that ends
// the process. It covers what the ring does and what fn itself does: reading a
// record in place, filling a reservation. After it the handle whose memory it
// was has no use but Close; others are not concerned.
//
// Rings in files (CreateFile, OpenFile) guard each call by themselves; those in
// shared memory only Close and what makes handles or statistics, since a guard
// costs some nanoseconds, a third of a record. Around a whole loop one guard
// costs nothing. Rings that are served cannot be truncated.
//
// A guard is the goroutine's own. Goroutines that fn starts are not guarded.
func Guard(fn func() error) (err error) {
	defer endGuard(debug.SetPanicOnFault(true), &err)
	return fn()
}

// endGuard ends a guard. It has to be deferred itself, because it recovers.
func endGuard(before bool, err *error) {
	debug.SetPanicOnFault(before)
	if r := recover(); r != nil {
		if *err = faulted(r); *err == nil {
			panic(r)
		}
	}
}

// guarded is again for a call of which there is nothing but the error.
func guarded(s *section, call func() error) error {
	_, err := again(s, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// again is what a call of a handle does that may not enter: it tells why, or,
// where each call is to be guarded, does it under a guard.
func again[T any](s *section, call func() (T, error)) (v T, err error) {
	if err := s.over(); err != nil {
		return v, err
	}
	s.rest.inside = true
	defer s.outside(debug.SetPanicOnFault(true), &err)
	return call()
}

// outside is endGuard for a handle's call, which may not have come to its end.
func (s *section) outside(before bool, err *error) {
	debug.SetPanicOnFault(before)
	s.rest.inside = false
	if r := recover(); r != nil {
		if *err = faulted(r); *err == nil {
			panic(r)
		}
		s.leave()
	}
}

// last is for what Close does to the memory. A handle that has lost it told
// its user so, and does nothing.
func (s *section) last(do func()) error {
	if s.lost() {
		return nil
	}
	return Guard(func() error { do(); return nil })
}

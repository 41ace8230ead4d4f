package ring

// doubtful tells whether what was just read may have been overwritten, and
// then puts the consumer in order again or ends it; the error is what there is
// to tell of that. A reliable one has nothing to fear.
func (c *Consumer) doubtful() (stale bool, err error) {
	switch c.policy.kind {
	case kindLossy:
		fenceLoad()
		if c.passed(c.cursor) {
			return true, c.resync()
		}
	case kindDeadline:
		fenceLoad()
		err = c.evictedNow()
	}
	return err != nil, err
}

// evictedNow looks whether this consumer has lost its slot (rows 8 and 16).
func (c *Consumer) evictedNow() error {
	at := evictedAt(c.slot)
	if load64(c.word(at+8)) != c.generation {
		return nil
	}
	c.err = &EvictedError{Reason: evictionReason(c.policy.deadline), At: load64(c.word(at))}
	return c.err
}

// Release gives back everything viewed: the producer may overwrite it. For
// Lossy and Deadline it tells whether the views were whole: nil, or
// *OverrunError with the records viewed among the lost, or *EvictedError.
func (c *Consumer) Release() error {
	if !c.enter() {
		return c.releaseAgain()
	}
	if c.policy.kind == kindReliable { // what release does, in line
		if c.viewed = 0; c.pos != c.cursor {
			c.account()
			c.move(c.pos)
		}
		c.leave()
		return nil
	}
	err := c.release()
	c.leave()
	return err
}

//go:noinline
func (c *Consumer) releaseAgain() error {
	c.buryLate()
	return guarded(&c.section, c.Release)
}

func (c *Consumer) release() error {
	c.viewed = 0
	if c.pos == c.cursor {
		return nil
	}
	if c.policy.kind != kindReliable {
		if stale, err := c.doubtful(); stale {
			return err
		}
	}
	c.store()
	return nil
}

// store makes the cursor what has been viewed, and wakes the producer if it
// waits for that (rows 9, 13 and 14).
func (c *Consumer) store() {
	c.account()
	c.move(c.pos)
}

// account counts what is given back.
func (c *Consumer) account() {
	if c.uncounted != 0 {
		c.unseen, c.uncounted = c.unseen+c.uncounted, 0
	}
	seq := c.seq
	c.given = seq
	plain64(c.own.w64(slotSequence), seq)
	plain64(c.own.w64(slotReceived), seq-c.unseen)
}

// move stores the cursor. Every store of a cursor is one of these.
func (c *Consumer) move(to uint64) {
	old := c.cursor
	c.cursor = to
	word := c.own.w64(slotCursor)
	if c.expedited {
		store64(word, to)
	} else {
		fenced64(word, to)
	}
	if wakeAt := load64(c.word(offWakeAt)); old < wakeAt && wakeAt <= to {
		kernel.Wake(low(word))
	}
}

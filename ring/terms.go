package ring

import (
	"fmt"
	"time"
)

// terms are what a consumer is admitted on.
type terms struct {
	// stranger: the producer takes care that it costs no more than it may
	// (strangers.go).
	stranger bool
	// patience bounds how long it may hold the producer up, whatever policy it
	// has chosen: 0 for not at all, negative for as long as the policy says.
	patience time.Duration
}

// trusted are the terms of everybody who is of the ring's own user.
var trusted = terms{patience: -1}

// binds tells what a policy, as a consumer has written it to its slot, amounts
// to: whether it gates, and for how long at most (0: for ever).
func (t terms) binds(kind policyKind, deadline time.Duration) (gates bool, limit time.Duration) {
	if kind == kindLossy || t.patience == 0 {
		return false, 0
	}
	if kind == kindDeadline {
		// At least 1 ns, whatever a peer has written: 0 would be for ever.
		limit = max(deadline, 1)
	}
	if t.patience > 0 && (limit == 0 || limit > t.patience) {
		limit = t.patience
	}
	return true, limit
}

// admit is for the consumer's side: a policy that the producer would not keep
// to is refused before anybody relies on it.
func (t terms) admit(p Policy) error {
	if gates, limit := t.binds(p.kind, p.deadline); gates == (p.kind != kindLossy) && limit == p.deadline {
		return nil
	}
	if t.patience == 0 {
		return fmt.Errorf("%w: policy %v, want lossy (its producer does not let consumers whom it does not trust hold it up: ServeConfig.Patience is 0)", ErrRefused, p)
	}
	return fmt.Errorf("%w: policy %v, want lossy or a deadline of at most %v (ServeConfig.Patience of its producer)", ErrRefused, p, t.patience)
}

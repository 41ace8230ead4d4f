package model

import (
	"regexp"
	"time"
)

// Size is how much of the suite to run.
type Size uint8

// Sizes, each with what those before it have: seconds, half a minute, minutes.
const (
	Short Size = iota
	Quick
	Full
)

// most is how many states one configuration may have: more is a mistake.
const most = 4_000_000

// Kill is where a mutant was found.
type Kill struct {
	Wrong
	Order    Order
	Skipped  bool   // not in this size
	Killed   bool   // by Result
	Forgiven bool   // amd64 forgives it, as it should: nothing found there
	Survived bool   // nothing found where something must be
	Result   Result // the last exploration
	Time     time.Duration
}

// Suite runs configurations and mutants whose names match, and hands each
// result over as soon as it is there. It tells whether all is as it should be.
func Suite(size Size, only *regexp.Regexp, proved func(Result), killed func(Kill)) bool {
	good := true
	small := map[string]Config{}
	for _, c := range Configs() {
		if c.size <= size {
			small[c.Name] = c
		}
		if c.size > size || !only.MatchString(c.Name) {
			continue
		}
		for _, order := range []Order{TSO, Weak} {
			r := Explore(c, order, None, most)
			good = good && r.Violation == nil
			proved(r)
		}
	}
	for _, w := range Mutants() {
		if !only.MatchString(w.Name) {
			continue
		}
		for _, order := range []Order{TSO, Weak} {
			k := hunt(w, order, small)
			good = good && !k.Survived
			killed(k)
		}
	}
	return good
}

// hunt looks for a mutant in its configurations until one of them finds it.
func hunt(w Wrong, order Order, among map[string]Config) Kill {
	k := Kill{Wrong: w, Order: order, Skipped: true}
	for _, name := range w.Configs {
		c, ok := among[name]
		if !ok {
			continue
		}
		k.Skipped = false
		k.Result = Explore(c, order, w.Mutant, most)
		k.Time += k.Result.Time
		if v := k.Result.Violation; v != nil && !v.Bound {
			k.Killed = true
			return k
		}
	}
	k.Forgiven = !k.Skipped && w.Weak && order == TSO
	k.Survived = !k.Skipped && !k.Forgiven
	return k
}

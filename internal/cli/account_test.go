package cli

import "testing"

func TestAccount(t *testing.T) {
	type figures struct{ received, lost, first, last, late, double uint64 }
	arrive := func(seqs ...uint64) func(*account) {
		return func(a *account) {
			for _, s := range seqs {
				a.arrived(s, 1)
			}
		}
	}
	miss := func(from, to uint64) func(*account) { return func(a *account) { a.missed(from, to) } }
	seam := (*account).seam
	for _, c := range []struct {
		name     string
		filtered bool
		steps    []func(*account)
		want     figures
	}{
		{"in order", false, []func(*account){arrive(5, 6, 7)}, figures{received: 3}},
		{"a loss that was told", false, []func(*account){arrive(1), miss(2, 9), arrive(10)}, figures{2, 8, 2, 9, 0, 0}},
		{"a loss before anything came", false, []func(*account){miss(1, 4), arrive(5)}, figures{1, 4, 1, 4, 0, 0}},
		{"two losses", false, []func(*account){arrive(1), miss(2, 3), arrive(4), miss(5, 5), arrive(6)}, figures{3, 3, 2, 5, 0, 0}},
		{"a loss in silence", false, []func(*account){arrive(1, 2, 5)}, figures{3, 2, 3, 4, 0, 0}},
		{"gaps of a filter", true, []func(*account){arrive(1, 4, 9)}, figures{received: 3}},
		{"the same twice", false, []func(*account){arrive(1, 2, 2, 3)}, figures{4, 0, 0, 0, 0, 1}},
		{"an old one again", false, []func(*account){arrive(1, 2, 3, 1, 2, 4)}, figures{6, 0, 0, 0, 0, 2}},
		{"a latecomer", true, []func(*account){arrive(1, 5, 3, 6)}, figures{4, 0, 0, 0, 1, 0}},
		{"a latecomer twice", true, []func(*account){arrive(1, 5, 3, 3, 2, 4)}, figures{6, 0, 0, 0, 3, 1}},
		{"a latecomer that was lost", false, []func(*account){arrive(1), miss(2, 4), arrive(5, 3)}, figures{3, 2, 2, 4, 1, 0}},
		{"all that was lost comes late", false, []func(*account){arrive(1), miss(2, 3), arrive(4, 2, 3, 5)}, figures{5, 0, 0, 0, 2, 0}},
		{"another stream", false, []func(*account){arrive(7, 8), seam, arrive(1, 2)}, figures{received: 4}},
	} {
		a := account{filtered: c.filtered}
		for _, s := range c.steps {
			s(&a)
		}
		got := figures{a.received, a.lost, a.firstLost, a.lastLost, a.outOfOrder, a.duplicates}
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
		if a.bytes != a.received {
			t.Errorf("%s: %d bytes for %d records of one", c.name, a.bytes, a.received)
		}
	}
}
